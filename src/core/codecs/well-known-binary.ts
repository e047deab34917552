/** OGC Well-Known Binary, little-endian, without a reference system. */

const POINT = 1;
const LINE_STRING = 2;
const POLYGON = 3;

export function point(x: number, y: number): Uint8Array {
  const view = begin(POINT, 16);
  view.setFloat64(5, x, true);
  view.setFloat64(13, y, true);
  return new Uint8Array(view.buffer);
}

/** @param coordinates x and y of each point in turn */
export function lineString(coordinates: readonly number[]): Uint8Array {
  const view = begin(LINE_STRING, 4 + coordinates.length * 8);
  view.setUint32(5, coordinates.length / 2, true);
  putCoordinates(view, 9, coordinates);
  return new Uint8Array(view.buffer);
}

/** A polygon of one ring. @param ring x and y of each point in turn, the last the same as the first */
export function polygon(ring: readonly number[]): Uint8Array {
  const view = begin(POLYGON, 8 + ring.length * 8);
  view.setUint32(5, 1, true);
  view.setUint32(9, ring.length / 2, true);
  putCoordinates(view, 13, ring);
  return new Uint8Array(view.buffer);
}

function begin(type: number, bodyBytes: number): DataView {
  const view = new DataView(new ArrayBuffer(5 + bodyBytes));
  view.setUint8(0, 1);
  view.setUint32(1, type, true);
  return view;
}

function putCoordinates(view: DataView, at: number, coordinates: readonly number[]): void {
  coordinates.forEach((coordinate, index) => {
    view.setFloat64(at + index * 8, coordinate, true);
  });
}
