import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ConfigurationError } from '../core/errors.ts';

const deriveKey = promisify(pbkdf2);
/** RFC 7677 says at least 4096; Kafka itself refuses less. An absurd count would only burn our CPU. */
const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 10_000_000;

/** The client's side of SCRAM (RFC 5802) without channel binding, as Kafka uses it. One object per exchange. */
export class ScramClient {
  readonly #hash: 'sha256' | 'sha512';
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #serverSignature: Buffer | null = null;

  constructor(
    mechanism: 'scram-sha-256' | 'scram-sha-512',
    username: string,
    password: string,
    nonce = randomBytes(24).toString('base64'),
  ) {
    this.#hash = mechanism === 'scram-sha-256' ? 'sha256' : 'sha512';
    this.#password = password;
    this.#nonce = nonce;
    this.#firstBare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  }

  first(): Buffer {
    return Buffer.from(`n,,${this.#firstBare}`);
  }

  /** @throws ConfigurationError where the server's first message is not one of SCRAM. */
  async final(serverFirst: Buffer): Promise<Buffer> {
    const text = serverFirst.toString('utf8');
    const fields = parseFields(text);
    const nonce = fields.get('r') ?? '';
    const salt = Buffer.from(fields.get('s') ?? '', 'base64');
    const iterations = Number(fields.get('i'));
    if (!nonce.startsWith(this.#nonce) || nonce === this.#nonce || salt.length === 0) throw malformed();
    if (!(iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS)) throw malformed();
    const size = this.#hash === 'sha256' ? 32 : 64;
    const salted = await deriveKey(this.#password, salt, iterations, size, this.#hash);
    const clientKey = this.#hmac(salted, 'Client Key');
    const storedKey = createHash(this.#hash).update(clientKey).digest();
    const withoutProof = `c=biws,r=${nonce}`;
    const message = `${this.#firstBare},${text},${withoutProof}`;
    const proof = this.#hmac(storedKey, message);
    for (let i = 0; i < proof.length; i++) proof[i] = proof[i]! ^ clientKey[i]!;
    this.#serverSignature = this.#hmac(this.#hmac(salted, 'Server Key'), message);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  /** Whether the server's last message proves that it knows the password too. */
  verifies(serverFinal: Buffer): boolean {
    const signature = Buffer.from(parseFields(serverFinal.toString('utf8')).get('v') ?? '', 'base64');
    const expected = this.#serverSignature;
    return expected !== null && signature.length === expected.length && timingSafeEqual(signature, expected);
  }

  #hmac(key: Buffer, message: string): Buffer {
    return createHmac(this.#hash, key).update(message).digest();
  }
}

function parseFields(text: string): Map<string, string> {
  return new Map(text.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
}

function malformed(): ConfigurationError {
  return new ConfigurationError('the Kafka broker’s answer in the SCRAM exchange is not a valid one', {
    code: 'KAFKA_SCRAM_MALFORMED',
    remedy: 'Check that kafka.brokers points to Kafka, and the iterations (4096 or more) of the user.',
  });
}
