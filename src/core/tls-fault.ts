import { codeOf } from './error-classification.ts';

/** Why two sides do not agree on TLS. Waiting changes none of these: somebody has to change a setting or a certificate. */
export interface TlsFault {
  /** Completes a sentence about the connection. */
  readonly problem: string;
  readonly remedy: string;
}

interface Cause {
  /** What Node calls it: OpenSSL's X509_V_ERR_…, or ERR_SSL_ and OpenSSL's reason. */
  readonly code: RegExp;
  readonly problem: string;
  remedy(section: string): string;
}

/** The first that fits counts. */
const CAUSES: readonly Cause[] = [
  {
    code: /^CERT_HAS_EXPIRED$/,
    problem: 'the certificate of the server has expired',
    remedy: () => "Renew the server's certificate, and look at the clock of this machine.",
  },
  {
    code: /^CERT_NOT_YET_VALID$/,
    problem: 'the certificate of the server is not valid yet',
    remedy: () => "Look at the clocks of the server and of this machine, or renew the server's certificate.",
  },
  {
    code: /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    problem: 'the certificate of the server is for another name',
    remedy: () => 'Connect to a name that is in the certificate, or give the server one that holds this name.',
  },
  {
    code: /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)$/,
    problem: 'the certificate of the server is not signed by an authority that is trusted here',
    remedy: (section) =>
      `Set ${section}.ca_file to the certificate of the authority that signed it; check first that this is the right server.`,
  },
  {
    code: /^(CERT_|CRL_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$)/,
    problem: 'the certificate of the server is not accepted',
    remedy: (section) => `Look at the server's certificate, those that signed it, and ${section}.ca_file.`,
  },
  {
    code: /^ERR_SSL_[\w/]*ALERT_(CERTIFICATE_REQUIRED|NO_CERTIFICATE)$/,
    problem: 'the server wants a client certificate',
    remedy: (section) => `Set ${section}.cert_file and ${section}.key_file.`,
  },
  {
    // Java says BAD_CERTIFICATE also of a certificate that is missing.
    code: /^ERR_SSL_[\w/]*ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|\w*CERTIFICATE\w*|ACCESS_DENIED)$/,
    problem: 'the server does not accept the client certificate, or the lack of one',
    remedy: (section) =>
      `Set ${section}.cert_file and ${section}.key_file to a certificate that is valid and signed by an authority of the server.`,
  },
  {
    code: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST|RECORD_TOO_LARGE)$/,
    problem: 'the server does not answer with TLS',
    remedy: (section) => `Connect to the port that speaks TLS, or set ${section} to what the server offers.`,
  },
  {
    code: /^ERR_SSL_[\w/]*(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|HANDSHAKE_FAILURE|NO_CIPHERS\w*|NO_SHARED_\w+|\w*KEY_TOO_SMALL)$/,
    problem: 'there is no version, cipher or kind of certificate that both sides accept',
    remedy: () => 'Let the server offer TLS 1.2 or 1.3 with a certificate of a size and kind that is common today.',
  },
  {
    code: /^ERR_OSSL_/,
    problem: 'the certificate and the key that are set cannot be used',
    remedy: (section) => `Check ${section}.ca_file, ${section}.cert_file and ${section}.key_file.`,
  },
];

/**
 * What an error of Node says about TLS; null where it is about something else, or may go away by itself.
 * @param section where TLS is set, such as `kafka.tls`.
 */
export function tlsFault(error: unknown, section: string): TlsFault | null {
  const code = codeOf(error) === 'EPROTO' ? reasonOf(error as Error) : codeOf(error);
  const cause = code === null ? undefined : CAUSES.find((each) => each.code.test(code));
  if (cause === undefined) return null;
  return { problem: `${cause.problem}${namesOf(error)} (${code})`, remedy: cause.remedy(section) };
}

/** A write that meets a TLS error has its reason only in OpenSSL's line: `error:0A00010B:SSL routines:f:wrong version number:`. */
function reasonOf({ message }: Error): string | null {
  const reason = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  return reason === undefined ? null : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
}

/** Which name was looked for, and which are in the certificate. */
function namesOf(error: unknown): string {
  const { host, cert } = error as { host?: unknown; cert?: { subjectaltname?: unknown } };
  if (typeof host !== 'string') return '';
  const names = cert?.subjectaltname;
  return `: ${host} is not in ${typeof names === 'string' && names !== '' ? `“${names}”` : 'it'}`;
}
