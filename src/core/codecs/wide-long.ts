import type { ValueWriter } from '../value-writer.ts';

const MAX = 0x7fff_ffff_ffff_ffffn;
const MIN = -0x8000_0000_0000_0000n;
const TWO_32 = 0x1_0000_0000;

/** Writes an integer of any size; what a signed 64-bit integer cannot hold becomes the nearest one it can. */
export function writeSaturated(value: bigint, out: ValueWriter): void {
  const held = value > MAX ? MAX : value < MIN ? MIN : value;
  out.long(Number(held >> 32n), Number(held & 0xffff_ffffn));
}

export function writeMaximum(out: ValueWriter): void {
  out.long(0x7fff_ffff, 0xffff_ffff);
}

export function writeMinimum(out: ValueWriter): void {
  out.long(-0x8000_0000, 0);
}

/** Writes `value` times 1000, where `value` is a safe integer and the product fits 64 bits. */
export function writeThousandfold(value: number, out: ValueWriter): void {
  const high = Math.floor(value / TWO_32);
  const low = (value - high * TWO_32) * 1000;
  const carry = Math.floor(low / TWO_32);
  out.long((high * 1000 + carry) | 0, low - carry * TWO_32);
}
