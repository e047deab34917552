/** Writes a double as Java's `Double.toString` does (`1.0E10`), which is how it stands in Debezium's schemas and headers. */
export function javaDoubleText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const shortest = value.toExponential();
  // Java takes the nearest of two digits where one would do: 4.9E-324.
  return layOut(shortest.includes('.') ? shortest : value.toExponential(1));
}

/** Writes a float as Java's `Float.toString` does: the fewest digits that still name this float. */
export function javaFloatText(value: number): string {
  const float = Math.fround(value);
  if (!Number.isFinite(float) || float === 0) return javaDoubleText(float);
  let fractionDigits = 1;
  let text = float.toExponential(fractionDigits);
  while (Math.fround(Number(text)) !== float) {
    fractionDigits += 1;
    text = float.toExponential(fractionDigits);
  }
  return layOut(text);
}

/** Plain notation for magnitudes from 10^-3 up to 10^7, else one digit before the point; a digit after it always. */
function layOut(exponential: string): string {
  const [mantissa, exponentText] = exponential.split('e') as [string, string];
  const exponent = Number(exponentText);
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '').replace(/(?<=.)0+$/, '');
  if (exponent < -3 || exponent >= 7) return `${sign}${digits[0]}.${digits.slice(1) || '0'}E${exponent}`;
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}
