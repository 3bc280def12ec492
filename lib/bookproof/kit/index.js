export { define, make } from "./element.js";
export { format, formatPower, raise } from "./format.js";
export { Plot, box, change, drag, draw, map, network, panel } from "./svg.js";
