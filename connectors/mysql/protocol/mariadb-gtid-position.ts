import { ProtocolError } from './protocol-error.ts';

/** The last transaction of a domain. */
export interface DomainPosition {
  readonly server: number;
  readonly sequence: number;
}

const GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,16})$/;
const LARGEST_ID = 0xffff_ffff;

/**
 * A GTID position of MariaDB, immutable: of every replication domain the last transaction, which stands for all before it
 * in that domain's log.
 * @see https://mariadb.com/kb/en/gtid/
 */
export class MariadbGtidPosition {
  static readonly empty: MariadbGtidPosition = new MariadbGtidPosition(new Map());
  readonly #domains: ReadonlyMap<number, DomainPosition>;

  constructor(domains: ReadonlyMap<number, DomainPosition>) {
    this.#domains = domains;
  }

  /** @throws ProtocolError where it is none, has a domain twice, or a number beyond 2^53 */
  static parse(text: string): MariadbGtidPosition {
    const domains = new Map<number, DomainPosition>();
    for (const part of text.split(',')) {
      const gtid = part.trim();
      if (gtid === '') continue;
      const match = GTID.exec(gtid);
      if (match === null) throw notAPosition(text);
      const [domain, server, sequence] = [Number(match[1]), Number(match[2]), Number(match[3])];
      if (domain > LARGEST_ID || server > LARGEST_ID || !Number.isSafeInteger(sequence)) throw notAPosition(text);
      if (domains.has(domain)) throw notAPosition(text);
      domains.set(domain, { server, sequence });
    }
    return new MariadbGtidPosition(domains);
  }

  get isEmpty(): boolean {
    return this.#domains.size === 0;
  }

  get domains(): number[] {
    return [...this.#domains.keys()].sort((a, b) => a - b);
  }

  get(domain: number): DomainPosition | null {
    return this.#domains.get(domain) ?? null;
  }

  with(domain: number, server: number, sequence: number): MariadbGtidPosition {
    return new MariadbGtidPosition(new Map(this.#domains).set(domain, { server, sequence }));
  }

  /**
   * Below 0 where this position is before the other in the domain, 0 where they are the same or only the server differs,
   * above 0 where it is behind it. A domain that is not there is before every other.
   */
  compare(other: MariadbGtidPosition, domain: number): number {
    return (this.get(domain)?.sequence ?? -1) - (other.get(domain)?.sequence ?? -1);
  }

  /** Whether this position is at or behind the other in every domain of the other. */
  covers(other: MariadbGtidPosition): boolean {
    return other.domains.every((domain) => this.compare(other, domain) >= 0);
  }

  /** `0-1-5,1-2-7`, by domain. */
  toString(): string {
    return this.domains
      .map((domain) => {
        const { server, sequence } = this.#domains.get(domain) as DomainPosition;
        return `${domain}-${server}-${sequence}`;
      })
      .join(',');
  }
}

function notAPosition(text: string): ProtocolError {
  return new ProtocolError(`not a GTID position: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`);
}
