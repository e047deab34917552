import { uuidText } from './uuid.ts';

const UUID_BYTES = 16;

/** Texts of where GTIDs come from. Nearly always it is where the one before came from, whose text is used again. */
export class GtidSources {
  readonly #uuid = Buffer.alloc(UUID_BYTES);
  #uuidText = uuidText(this.#uuid.toString('hex'));
  #domain = 0;
  #server = 0;
  #pairText = '0-0';

  /** Of MySQL: `3e11fa47-71ca-11e1-9e33-c80aa9429562` of the 16 bytes from `at` on. */
  ofUuid(bytes: Buffer, at: number): string {
    for (let index = 0; index < UUID_BYTES; index++) {
      if (bytes[at + index] !== this.#uuid[index]) {
        bytes.copy(this.#uuid, 0, at, at + UUID_BYTES);
        this.#uuidText = uuidText(this.#uuid.toString('hex'));
        break;
      }
    }
    return this.#uuidText;
  }

  /** Of MariaDB: `domain-server`. */
  ofDomain(domain: number, server: number): string {
    if (domain !== this.#domain || server !== this.#server) {
      this.#domain = domain;
      this.#server = server;
      this.#pairText = `${domain}-${server}`;
    }
    return this.#pairText;
  }
}
