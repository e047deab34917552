import { Writable } from 'node:stream';

/** Keeps what is written to it, as text. */
export class TextStream extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
