const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$|--[^\n]*|;|[^;'"$-]+|[\s\S]/g;

/** The statements of a script, so that each is sent on its own and is a transaction of its own, as psql does. */
export function sqlStatements(script: string): string[] {
  const statements: string[] = [];
  let current = '';
  for (const [token] of script.matchAll(TOKEN)) {
    if (token === ';') {
      statements.push(current.trim());
      current = '';
    } else if (!token.startsWith('--')) {
      current += token;
    }
  }
  statements.push(current.trim());
  return statements.filter((statement) => statement !== '');
}
