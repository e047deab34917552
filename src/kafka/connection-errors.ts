import { ConfigurationError, type TailraceError, TransientError } from '../core/errors.ts';

/** Codes with which Node refuses a certificate: waiting does not make it valid. */
const CERTIFICATE_ERRORS =
  /^(CERT_|ERR_TLS_CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|ERR_OSSL_)/;

/** What ended a connection, as a core error; errors that are one already stay as they are. */
export function connectionLost(address: string, cause?: unknown): TailraceError {
  if (cause instanceof ConfigurationError || cause instanceof TransientError) return cause;
  const code = (cause as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string' && CERTIFICATE_ERRORS.test(code)) {
    return new ConfigurationError(`TLS with Kafka broker ${address} failed: ${code}`, {
      code: 'KAFKA_TLS_REFUSED',
      remedy: 'Correct kafka.tls (ca_file, cert_file, key_file) or the broker’s certificate.',
      cause,
    });
  }
  return new TransientError(
    `the connection to Kafka broker ${address} was lost${code === undefined ? '' : `: ${code}`}`,
    {
      code: 'KAFKA_CONNECTION_LOST',
      remedy:
        'It is opened again by itself; if this repeats, check that kafka.tls and kafka.sasl fit the listener, the broker, and the network.',
      cause,
    },
  );
}

/** `doing`: what was not answered. */
export function timedOut(address: string, doing: string): TailraceError {
  return new TransientError(`Kafka broker ${address} did not answer in time (${doing})`, {
    code: 'KAFKA_REQUEST_TIMEOUT',
    remedy: 'The request is repeated on a new connection; if this repeats, look at the load of the broker.',
  });
}

/** The caller's signal ended the attempt; the caller throws the signal's own reason. */
export function aborted(address: string): TailraceError {
  return new TransientError(`connecting to Kafka broker ${address} was cancelled`, {
    code: 'KAFKA_CONNECT_CANCELLED',
    remedy: 'None is needed: the daemon is stopping.',
  });
}
