/** @file Style sheets are imported for the bundle that goes beside a page's script. */
declare module "*.css";
