/** @file What the tests of installing look at. */
import { globSync } from "node:fs";
import { join } from "node:path";

/** The process's environment without what the npm around it has set, so that only the project's own settings count. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^npm_config_(?:ignore_scripts|allow_scripts)$|^onnxruntime_node_install/i.test(name),
    ),
  );
}

/** The files beside ONNX Runtime's own that only its install script brings. */
export function cudaFiles(folder: string): readonly string[] {
  const binaries = globSync("**/*", { cwd: join(folder, "node_modules/onnxruntime-node/bin") });
  if (!binaries.some((file) => /libonnxruntime|onnxruntime\.dll/.test(file)))
    throw new Error(`onnxruntime-node is not installed in ${folder}`);
  return binaries.filter((file) => /cuda|tensorrt|cudnn|cublas/i.test(file)).toSorted();
}
