import { generateKeyPairSync, sign } from 'node:crypto';

export interface SelfSignedCertificate {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;

/** A certificate of its own authority, valid today, as PEM. DER by hand (X.690, RFC 5280, RFC 8410): Node makes none. */
export function selfSignedCertificate(commonName: string): SelfSignedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const ed25519 = sequence(Buffer.from('06032b6570', 'hex'));
  const name = sequence(
    tagged(0x31, sequence(Buffer.from('0603550403', 'hex'), tagged(0x0c, Buffer.from(commonName)))),
  );
  const validity = sequence(time(Date.now() - DAY_MS), time(Date.now() + DAY_MS));
  const serial = tagged(0x02, Buffer.from([1]));
  const version3 = tagged(0xa0, tagged(0x02, Buffer.from([2])));
  const subjectKey = publicKey.export({ format: 'der', type: 'spki' });
  const toBeSigned = sequence(version3, serial, ed25519, name, validity, name, subjectKey);
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign(null, toBeSigned, privateKey)]));
  const der = sequence(toBeSigned, ed25519, signature);
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
  };
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** UTCTime. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
