import type { ValueWriter } from './value-writer.ts';

/** An optional string without default. */
export function writeOptionalText(out: ValueWriter, value: string | null): void {
  if (value === null) {
    out.absent(0);
    return;
  }
  out.present(0);
  out.text(value);
}

/** An optional 64-bit integer without default; a safe one. */
export function writeOptionalLong(out: ValueWriter, value: number | null): void {
  if (value === null) {
    out.absent(0);
    return;
  }
  out.present(0);
  out.safeLong(value);
}
