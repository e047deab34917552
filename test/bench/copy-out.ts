import pg from 'pg';

/** What `COPY … TO STDOUT` gives to a reader that keeps nothing. */
export async function copyOut(url: string, statement: string): Promise<{ seconds: number }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const startedAt = performance.now();
  try {
    await new Promise<void>((resolve, reject) => {
      const nothing = () => {};
      const query = {
        submit: (connection: { query(text: string): void }) => connection.query(statement),
        handleCopyData: nothing,
        handleRowDescription: nothing,
        handleDataRow: nothing,
        handleCommandComplete: nothing,
        handleEmptyQuery: nothing,
        handlePortalSuspended: nothing,
        handleReadyForQuery: () => resolve(),
        handleError: reject,
      };
      client.query(query as unknown as pg.Query);
    });
    return { seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    await client.end();
  }
}
