import picocolors from "picocolors";

/** Colours for a terminal only: the package itself also colours wherever CI is set. */
export const coloursFor = (screen: { readonly isTTY?: boolean }) =>
  picocolors.createColors(screen.isTTY === true && !process.env["NO_COLOR"]);
