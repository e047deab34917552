/** What a route gives back: everything of the response but the headers that all of them have. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** More headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

export function json(value: unknown): Answer {
  return { status: 200, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

export function text(body: string): Answer {
  return { status: 200, contentType: 'text/plain; charset=utf-8', body };
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/**
 * An error as `application/problem+json` (RFC 9457); the type is `about:blank`, so the title is that of the status.
 * @param more further members of the object.
 */
export function problem(status: number, detail: string, more: Readonly<Record<string, unknown>> = {}): Answer {
  const title = TITLES[status] ?? 'Error';
  return {
    status,
    contentType: 'application/problem+json',
    body: `${JSON.stringify({ type: 'about:blank', title, status, detail, ...more })}\n`,
  };
}
