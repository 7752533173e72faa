/** @file All tests of the suite, in their order: the first loads nothing that a later one would find loaded. */
import "./activation.ts";
import "./language.ts";
import "./runs.ts";
import "./looking.ts";
