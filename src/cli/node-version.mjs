/** @file Whether this Node can run us; plain JavaScript, so that any Node can say why not. */

/** What to tell the user of a Node of that version, or undefined where it will do. */
export function refusalOfNode(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 18)
    ? undefined
    : `Spectune needs Node 22.18 or newer; this is ${version}.\n` +
        "Install Node 24 from https://nodejs.org and run the command again.\n";
}
