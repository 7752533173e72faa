/** @file What stands under the name of a safetensors file now and then, told by its first bytes. */

export interface OtherFormat {
  readonly start: string;
  readonly what: string;
  readonly remedy: string;
}

/** The other format that a file's first bytes tell of, if any. */
export function otherFormat(bytes: Uint8Array): OtherFormat | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  return otherFormats.find((format) => start.startsWith(format.start));
}

export const fetchAgain =
  "Take the file again from where it came from; what an own run made, `spectune export` makes anew.";

const otherFormats: readonly OtherFormat[] = [
  {
    start: "version https://git-lfs",
    what: "a Git LFS pointer, not the weights themselves",
    remedy: "Run `git lfs pull` in the model's folder.",
  },
  {
    start: "PK\u0003\u0004",
    what: "a zip archive, as PyTorch's pickle files are; pickles can run code and are never read",
    remedy: "Save the model as safetensors with the tool that made it.",
  },
  {
    start: "GGUF",
    what: "a GGUF file",
    remedy: "Take the model's safetensors files instead.",
  },
  {
    start: "<!DOCTYPE",
    what: "a web page, probably an error page saved under this name",
    remedy: fetchAgain,
  },
];
