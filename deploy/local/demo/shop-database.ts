import pg from 'pg';

const SCHEMA = `
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL UNIQUE
);
CREATE TABLE products (
  sku text PRIMARY KEY,
  title text NOT NULL,
  price numeric(10, 2) NOT NULL,
  stock int NOT NULL
);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers,
  status text NOT NULL DEFAULT 'new',
  placed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE order_lines (
  order_id bigint REFERENCES orders ON DELETE CASCADE,
  sku text REFERENCES products,
  quantity int NOT NULL,
  PRIMARY KEY (order_id, sku)
);
INSERT INTO customers (name, email)
  SELECT 'Customer ' || n, 'customer' || n || '@example.com' FROM generate_series(1, 20) AS n;
INSERT INTO products
  SELECT 'SKU-' || n, 'Product ' || n, (n * 3.5)::numeric(10, 2), 1000 FROM generate_series(1, 10) AS n;
`;

/** The tables that shopping changes; the first order touches all of them. */
export const SHOP_TABLES = ['products', 'orders', 'order_lines'] as const;

/** A database with a small shop in it, and someone who shops. */
export class ShopDatabase implements AsyncDisposable {
  readonly url: string;
  readonly #server: pg.Client;
  readonly #name: string;
  readonly #client: pg.Client;
  #transactions = 0;
  #changes = 0;

  private constructor(server: pg.Client, name: string, url: string, client: pg.Client) {
    this.#server = server;
    this.#name = name;
    this.url = url;
    this.#client = client;
  }

  static async create(serverUrl: string, name: string): Promise<ShopDatabase> {
    const server = new pg.Client({ connectionString: serverUrl, connectionTimeoutMillis: 10_000 });
    await server.connect();
    await server.query(`CREATE DATABASE ${name}`);
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
    await client.connect();
    await client.query(SCHEMA);
    return new ShopDatabase(server, name, url.href, client);
  }

  /** Committed since the start. */
  get transactions(): number {
    return this.#transactions;
  }

  /** Rows inserted, updated and deleted by them. */
  get changes(): number {
    return this.#changes;
  }

  /** One transaction: mostly a new order, at times a payment, a price change or a cancellation. */
  async shop(): Promise<void> {
    const turn = this.#transactions % 8;
    await this.#client.query('BEGIN');
    let changes: number;
    if (turn === 3) changes = await this.#run(`UPDATE products SET price = price + 0.25 WHERE sku = 'SKU-3'`);
    else if (turn === 5) changes = await this.#run(`UPDATE orders SET status = 'paid' WHERE id = ${LATEST_ORDER}`);
    else if (turn === 7) changes = await this.#cancel();
    else changes = await this.#order();
    await this.#client.query('COMMIT');
    this.#transactions += 1;
    this.#changes += changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
    const slots = await this.#server.query<{ slot_name: string }>(
      'SELECT slot_name FROM pg_replication_slots WHERE database = $1 AND NOT active',
      [this.#name],
    );
    for (const { slot_name } of slots.rows) {
      await this.#server.query('SELECT pg_drop_replication_slot($1)', [slot_name]);
    }
    await this.#server.query(`DROP DATABASE ${this.#name} WITH (FORCE)`);
    await this.#server.end();
  }

  async #order(): Promise<number> {
    const customer = 1 + (this.#transactions % 20);
    await this.#run(`INSERT INTO orders (customer_id) VALUES (${customer})`);
    const sku = `SKU-${1 + (this.#transactions % 10)}`;
    await this.#run(`INSERT INTO order_lines VALUES (${LATEST_ORDER}, '${sku}', 2)`);
    await this.#run(`UPDATE products SET stock = stock - 2 WHERE sku = '${sku}'`);
    return 3;
  }

  async #cancel(): Promise<number> {
    const lines = await this.#run(`DELETE FROM order_lines WHERE order_id = ${LATEST_ORDER}`);
    return lines + (await this.#run(`DELETE FROM orders WHERE id = ${LATEST_ORDER}`));
  }

  async #run(sql: string): Promise<number> {
    return (await this.#client.query(sql)).rowCount ?? 0;
  }
}

const LATEST_ORDER = '(SELECT max(id) FROM orders)';
