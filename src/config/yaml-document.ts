import { type Document, isCollection, isMap, isPair, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { LocatedProblem, Path } from './problem.ts';
import { shieldReferences, unshieldAll } from './shielded-references.ts';

/** A parsed YAML file that can say on which line a setting stands. */
export interface YamlDocument {
  /** Plain objects, arrays and scalars. */
  readonly value: unknown;
  readonly problems: readonly LocatedProblem[];
  /** Line, from 1, of the setting at `path`; of the nearest section around it when it is missing. */
  lineOf(path: Path): number | null;
}

/** What the parser's own messages say, without the piece of the file that they quote, which may be a secret. */
const MESSAGES: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  ALIAS_PROPS: ['an alias has properties of its own', 'Remove its tag or anchor.'],
  BAD_ALIAS: ['refers to an anchor that is not defined above', 'Put text that starts with * in quotes.'],
  BAD_DQ_ESCAPE: ['text in double quotes has an unknown \\ escape', 'Write \\\\ for \\, or use single quotes.'],
  BAD_INDENT: [
    'the indentation does not fit the lines above',
    'Indent the settings of a section by the same number of spaces.',
  ],
  BAD_SCALAR_START: ['text starts with a reserved character', 'Put the text in quotes.'],
  BLOCK_AS_IMPLICIT_KEY: ['a value holds a second ":"', 'Put the value in quotes, or on lines of its own.'],
  BLOCK_IN_FLOW: ['a list of lines stands inside [ ] or { }', 'Write it in [ ] or { } too.'],
  DUPLICATE_KEY: ['a setting stands twice in the same section', 'Remove one of the two.'],
  KEY_OVER_1024_CHARS: ['a setting name is longer than 1024 characters', 'Put a space after its ":".'],
  MISSING_CHAR: ['a quote, bracket, comma or space is missing', 'Close every quote and bracket.'],
  MULTILINE_IMPLICIT_KEY: ['a setting has no ":" or spreads over lines', 'Write `name: value` on one line.'],
  MULTIPLE_DOCS: ['the file holds more than one document', 'Remove the --- line and what does not belong here.'],
  NON_STRING_KEY: ['a setting name is not text', 'Put the name in quotes.'],
  RESOURCE_EXHAUSTION: ['the nesting is too deep', 'Write fewer levels.'],
  TAB_AS_INDENT: ['a line is indented by a tab', 'Use spaces.'],
  TAG_RESOLVE_FAILED: ['a value has a tag (!) that is not known here', 'Put text that starts with ! in quotes.'],
};

export function parseYaml(text: string): YamlDocument {
  const lines = new LineCounter();
  const shielded = shieldReferences(text);
  const document = parseDocument(shielded ?? text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    merge: true,
  });
  const problems: LocatedProblem[] = [];
  const complain = (code: string, at: number) => {
    const [message, remedy] = MESSAGES[code] ?? ['is not valid YAML here', 'Correct the line.'];
    const { line } = lines.linePos(at);
    // The first complaint about a line is the cause of the others.
    if (!problems.some((problem) => problem.line === line)) problems.push({ path: '', line, message, remedy });
  };
  for (const error of [...document.errors, ...document.warnings]) {
    complain(error.code, error.pos[0]);
    // After what it does not understand at all, the parser complains about every line.
    if (MESSAGES[error.code] === undefined) break;
  }
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) complain('BAD_ALIAS', alias.range?.[0] ?? 0);
    },
  });
  if (problems.length > 0) return { value: undefined, problems, lineOf: () => null };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return {
      value: shielded === null ? value : unshieldAll(value),
      problems,
      lineOf: (path) => lineOf(document, lines, path),
    };
  } catch (error) {
    // What is left to refuse depends on the whole document: aliases that multiply without bound, << of what is no section.
    if (!(error instanceof Error)) throw error;
    const [message, remedy] = ['has a << or an alias that cannot be filled in', 'Write out what it stands for.'];
    const problem = { path: '', line: null, message, remedy };
    return { value: undefined, problems: [problem], lineOf: () => null };
  }
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number | null {
  let node: unknown = document.contents;
  let start = startOf(node);
  for (const step of path) {
    if (!isCollection(node)) break;
    const item: unknown = isMap(node)
      ? node.items.find((pair) => String(pair.key) === String(step))
      : isSeq(node)
        ? node.items[Number(step)]
        : undefined;
    if (item === undefined) break;
    start = startOf(isPair(item) ? item.key : item) ?? start;
    node = isPair(item) ? item.value : item;
  }
  return start === null ? null : lines.linePos(start).line;
}

function startOf(node: unknown): number | null {
  return (node as Node | null | undefined)?.range?.[0] ?? null;
}
