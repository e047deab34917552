import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** PEM. The key is PKCS #8. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Who signs; by itself when missing. */
  readonly issuer?: Issuer;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
  /** Host names and IPv4 addresses that it is for. */
  readonly hosts?: readonly string[];
  /** From yesterday to tomorrow when missing. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

interface Issuer extends Certificate {
  readonly commonName: string;
}

const DAY_MS = 86_400_000;

/** ecdsa-with-SHA256, RFC 5758. */
const ECDSA_SHA256 = sequence(objectId('2a8648ce3d040302'));

/** A certificate with a key of its own on the curve P-256. DER by hand (X.690, RFC 5280): Node makes none. */
export function makeCertificate(request: CertificateRequest): Certificate {
  const { commonName, issuer, isAuthority = false, hosts = [] } = request;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const extensions = [
    // basicConstraints, critical
    ...(isAuthority ? [sequence(objectId('551d13'), TRUE, octets(sequence(TRUE)))] : []),
    // subjectAltName
    ...(hosts.length === 0 ? [] : [sequence(objectId('551d11'), octets(sequence(...hosts.map(hostName))))]),
  ];
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    name(issuer?.commonName ?? commonName),
    sequence(time(request.notBeforeMs ?? now - DAY_MS), time(request.notAfterMs ?? now + DAY_MS)),
    name(commonName),
    publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length === 0 ? [] : [tagged(0xa3, sequence(...extensions))]),
  );
  const signature = sign('sha256', toBeSigned, issuer === undefined ? privateKey : createPrivateKey(issuer.key));
  const der = sequence(toBeSigned, ECDSA_SHA256, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
  };
}

/** An authority, and what it signs. */
export class CertificateAuthority {
  readonly cert: string;
  readonly #issuer: Issuer;

  constructor(commonName: string) {
    this.#issuer = { commonName, ...makeCertificate({ commonName, isAuthority: true }) };
    this.cert = this.#issuer.cert;
  }

  /** For a server at these names and addresses. */
  server(...hosts: readonly string[]): Certificate {
    return makeCertificate({ commonName: hosts[0] ?? 'nobody', hosts, issuer: this.#issuer });
  }

  /** As `server`, and at an end soon. */
  shortLived(validMs: number, ...hosts: readonly string[]): Certificate {
    const notAfterMs = Date.now() + validMs;
    return makeCertificate({ commonName: hosts[0] ?? 'nobody', hosts, issuer: this.#issuer, notAfterMs });
  }

  /** For a server whose certificate ended an hour ago. */
  expired(...hosts: readonly string[]): Certificate {
    const now = Date.now();
    const validity = { notBeforeMs: now - DAY_MS, notAfterMs: now - DAY_MS / 24 };
    return makeCertificate({ commonName: hosts[0] ?? 'nobody', hosts, issuer: this.#issuer, ...validity });
  }

  client(commonName: string): Certificate {
    return makeCertificate({ commonName, issuer: this.#issuer });
  }
}

const TRUE = Buffer.from('0101ff', 'hex');

function name(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('550403'), tagged(0x0c, Buffer.from(commonName)))));
}

function hostName(host: string): Buffer {
  return isIPv4(host) ? tagged(0x87, Buffer.from(host.split('.').map(Number))) : tagged(0x82, Buffer.from(host));
}

/** UTCTime. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
