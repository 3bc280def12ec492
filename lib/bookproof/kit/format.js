// One way to write numbers, that of the book's prose: 1.01 million, 23,400, 0.0625, 10⁻⁶.
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export function raise(whole) {
  const digits = [...String(Math.abs(whole))].map((digit) => RAISED[digit]).join("");
  return (whole < 0 ? "⁻" : "") + digits;
}

export function group(text) {
  const [whole, part] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
}

// A number with three significant digits, as a reader says it.
export function format(value, digits = 3) {
  if (value === null || Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "∞";
  if (value === 0) return "0";
  if (value < 0) return "−" + format(-value, digits);
  const rounded = Number(value.toPrecision(digits));
  if (Number.isInteger(value) && value < 1e6) return group(String(value));
  if (rounded >= 1e6 && rounded < 1e9) return `${Number((rounded / 1e6).toPrecision(digits))} million`;
  if (rounded >= 1e9 || rounded < 1e-3) {
    const power = Math.floor(Math.log10(rounded));
    const factor = Number((rounded / 10 ** power).toPrecision(digits));
    return factor === 1 ? `10${raise(power)}` : `${factor} × 10${raise(power)}`;
  }
  return group(String(rounded));
}

// A power of two as the reader turns it: 2⁻¹⁰ for whole exponents, else a number.
export function formatPower(exponent) {
  return Number.isInteger(exponent) ? `2${raise(exponent)}` : format(2 ** exponent);
}
