import { codeOf } from '../core/error-classification.ts';
import { ConfigurationError, type TailraceError, TransientError } from '../core/errors.ts';
import { tlsFault } from '../core/tls-fault.ts';

/** What ended a connection, as a core error; errors that are one already stay as they are. */
export function connectionLost(address: string, cause?: unknown): TailraceError {
  if (cause instanceof ConfigurationError || cause instanceof TransientError) return cause;
  const fault = tlsFault(cause, 'kafka.tls');
  if (fault !== null) {
    return new ConfigurationError(`TLS with Kafka broker ${address} failed: ${fault.problem}`, {
      code: 'KAFKA_TLS_REFUSED',
      remedy: fault.remedy,
      cause,
    });
  }
  const code = codeOf(cause) ?? undefined;
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

/** It hung up before anything was said over TLS; a listener without TLS does, and so does a broker that stops. */
export function handshakeCut(address: string, cause?: unknown): TailraceError {
  return new TransientError(`Kafka broker ${address} closed the connection during the TLS handshake`, {
    code: 'KAFKA_CONNECTION_LOST',
    remedy:
      'Another attempt is made; if this repeats, the listener has no TLS: name one that has, or remove kafka.tls.',
    cause,
  });
}

/** It hung up at the first request; a listener that waits for authentication does, and so does a broker that stops. */
export function firstRequestCut(address: string, cause?: unknown): TailraceError {
  return new TransientError(`Kafka broker ${address} closed the connection at the first request`, {
    code: 'KAFKA_CONNECTION_LOST',
    remedy: 'Another attempt is made; if this repeats, the listener asks for authentication: set kafka.sasl.',
    cause,
  });
}

/** The first bytes of its answer are a TLS alert. */
export function answeredWithTls(address: string): TailraceError {
  return new ConfigurationError(`Kafka broker ${address} answers with TLS, and kafka.tls is not set`, {
    code: 'KAFKA_TLS_EXPECTED',
    remedy: 'Set kafka.tls, or name a listener without TLS.',
  });
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
