/** @file What crosses to the device for one pass, and is given up after it. */
import type { Backend, DeviceTensor } from "../runtime/backend.ts";

/** The part of a backend that brings tensors to the device. */
export type Uploader = Pick<Backend, "upload">;

/** Does some work; what it uploads through its argument is released when it is done. */
export async function withUploads<T>(
  backend: Backend,
  work: (uploader: Uploader) => Promise<T>,
): Promise<T> {
  const uploaded: DeviceTensor[] = [];
  try {
    return await work({
      upload(dtype, shape, data) {
        const tensor = backend.upload(dtype, shape, data);
        uploaded.push(tensor);
        return tensor;
      },
    });
  } finally {
    for (const tensor of uploaded) backend.release(tensor);
  }
}
