import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TlsSettings } from '../core/settings.ts';

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** Connections to HTTP servers that are asked now and then. Node's own client: undici's parser costs 14 MB (0010). */
export class HttpClient {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https: HttpsAgent;

  constructor(tls: TlsSettings | null) {
    this.#https = new HttpsAgent({ keepAlive: true, ...(tls === null ? {} : tlsOptions(tls)) });
  }

  /**
   * One request and its whole answer, whatever its status. Only for requests that may be repeated: one that meets a
   * connection which the server has just closed for being idle is sent again.
   * @throws the signal's reason when it is aborted, the error of the connection otherwise.
   */
  async ask(url: URL, request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    for (;;) {
      const sent = this.#send(url, request, signal);
      try {
        const response = await sent.response;
        return { status: response.statusCode ?? 0, text: await text(response) };
      } catch (error) {
        signal.throwIfAborted();
        if (!sent.reusedConnection() || (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      }
    }
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #send(url: URL, request: HttpRequest, signal: AbortSignal) {
    const { method, headers, body } = request;
    const isHttps = url.protocol === 'https:';
    const options = { method, headers, signal, agent: isHttps ? this.#https : this.#http };
    const outgoing = isHttps ? requestHttps(url, options) : requestHttp(url, options);
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve).on('error', reject);
    });
    outgoing.end(body ?? undefined);
    return { response, reusedConnection: () => outgoing.reusedSocket };
  }
}

function tlsOptions(tls: TlsSettings): object {
  return {
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key.reveal() }),
    ...(tls.verifyHostname ? {} : { checkServerIdentity: () => undefined }),
  };
}
