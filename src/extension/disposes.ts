/** @file What ends with the extension: any object that can be told so, without the editor's own class. */

export interface Disposes {
  readonly dispose: () => void;
}

/** All of them as one. */
export function allOf(parts: readonly { readonly dispose: () => unknown }[]): Disposes {
  return {
    dispose: () => {
      for (const part of parts) part.dispose();
    },
  };
}
