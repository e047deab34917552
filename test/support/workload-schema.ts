/**
 * The tables of the workload and the functions that write them. Every value is a function of (table, key number, version,
 * column), so that whoever reads a change can tell what it must hold; the type of a column is the prefix of its name
 * (`workload-values.ts` is the other half). `workload.ledger` counts the versions of each key in the same transaction as
 * the change: 1, 2, 3 … without gaps, a delete being a version too.
 */
export const WORKLOAD_SCHEMA = `
CREATE SCHEMA workload;
CREATE TABLE workload.ledger (
  tab text, k int, v bigint NOT NULL, live boolean NOT NULL, PRIMARY KEY (tab, k));
CREATE TYPE public.mood AS ENUM ('l0', 'l1', 'l2');

CREATE TABLE public.accounts (id int PRIMARY KEY, v bigint NOT NULL, i_1 int, t_2 text, n_3 numeric(20,4),
  r_4 int NOT NULL, f_5 boolean, z_6 timestamptz, e_7 public.mood);
CREATE TABLE public.orders (id bigint PRIMARY KEY, v bigint NOT NULL, t_1 varchar(80), i_2 bigint);
CREATE TABLE public.lines (a int, b text, v bigint NOT NULL, r_1 int NOT NULL, t_2 text, PRIMARY KEY (b, a));
CREATE TABLE public.docs (id int PRIMARY KEY, v bigint NOT NULL, big text, big_v bigint NOT NULL, i_1 int);
ALTER TABLE public.docs ALTER big SET STORAGE EXTERNAL;
CREATE TABLE public.docs_full (id int PRIMARY KEY, v bigint NOT NULL, big text, big_v bigint NOT NULL, i_1 int);
ALTER TABLE public.docs_full ALTER big SET STORAGE EXTERNAL;
ALTER TABLE public.docs_full REPLICA IDENTITY FULL;
CREATE TABLE public.keyless (id int NOT NULL, v bigint NOT NULL, t_1 text);
ALTER TABLE public.keyless REPLICA IDENTITY FULL;
CREATE TABLE public.events (id int NOT NULL, v bigint NOT NULL, t_1 text);
ALTER TABLE public.events REPLICA IDENTITY NOTHING;
CREATE TABLE public.wiped (id int PRIMARY KEY, v bigint NOT NULL, i_1 int);
CREATE TABLE public.copied (id int PRIMARY KEY, v bigint NOT NULL);

-- What column "col" holds in version "ver" of row "k", as text.
CREATE FUNCTION workload.value(tab text, k int, ver bigint, col text, required boolean) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  h text := md5(tab || ':' || k || ':' || ver || ':' || col);
  n int := ('x' || substr(h, 1, 7))::bit(28)::int;
BEGIN
  IF col = 'id' THEN RETURN k; END IF;
  IF col = 'a' THEN RETURN k % 40; END IF;
  IF col = 'b' THEN RETURN 'k' || (k / 40); END IF;
  IF col IN ('v', 'big_v') THEN RETURN ver; END IF;
  IF col = 'big' THEN RETURN repeat(h, 100 + n % 100); END IF;
  IF n % 5 = 0 AND NOT required AND left(col, 2) <> 'r_' THEN RETURN NULL; END IF;
  CASE left(col, 2)
    WHEN 'i_', 'r_' THEN RETURN n;
    WHEN 't_' THEN RETURN h || repeat('é', n % 4);
    WHEN 'n_' THEN RETURN round(n / 10000.0, 4);
    WHEN 'f_' THEN RETURN n % 2 = 0;
    WHEN 'z_' THEN RETURN to_timestamp(n);
    WHEN 'e_' THEN RETURN 'l' || (n % (SELECT count(*) FROM pg_enum WHERE enumtypid = 'public.mood'::regtype));
  END CASE;
END $$;

-- The next version of key "k", whose ledger row stays locked. Waits for the table first, so that the columns are known.
CREATE FUNCTION workload.next(t text, key int, OUT ver bigint, OUT was_live boolean)
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('LOCK TABLE public.%I IN ROW EXCLUSIVE MODE', t);
  INSERT INTO workload.ledger VALUES (t, key, 0, false) ON CONFLICT DO NOTHING;
  SELECT l.v + 1, l.live INTO ver, was_live FROM workload.ledger l WHERE l.tab = t AND l.k = key FOR UPDATE;
END $$;

CREATE FUNCTION workload.is_key(t text, col text) RETURNS boolean LANGUAGE sql AS $$ SELECT col IN ('id', 'a', 'b') $$;

CREATE FUNCTION workload.at_key(t text, k int) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN t = 'lines' THEN format('a = %s AND b = %L', k % 40, 'k' || (k / 40)) ELSE format('id = %s', k) END $$;

-- Column list and literals of a version; keys only with "with_key", the large column only with "with_big".
CREATE FUNCTION workload.columns(t text, k int, ver bigint, with_key boolean, with_big boolean,
  OUT names text, OUT literals text) LANGUAGE sql AS $$
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
         string_agg(format('%L::%s', workload.value(t, k, ver, attname, attnotnull),
                           format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
    FROM pg_attribute
   WHERE attrelid = ('public.' || quote_ident(t))::regclass AND attnum > 0 AND NOT attisdropped
     AND (with_key OR NOT workload.is_key(t, attname)) AND (with_big OR attname NOT IN ('big', 'big_v')) $$;

-- Inserts the row, or updates it where it exists.
CREATE FUNCTION workload.put(t text, k int, with_big boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE at record; c record;
BEGIN
  at := workload.next(t, k);
  c := workload.columns(t, k, at.ver, NOT at.was_live, with_big OR NOT at.was_live);
  IF at.was_live THEN
    EXECUTE format('UPDATE public.%I SET (%s) = ROW(%s) WHERE %s', t, c.names, c.literals, workload.at_key(t, k));
  ELSE
    EXECUTE format('INSERT INTO public.%I (%s) VALUES (%s)', t, c.names, c.literals);
  END IF;
  UPDATE workload.ledger l SET v = at.ver, live = true WHERE l.tab = t AND l.k = put.k;
END $$;

CREATE FUNCTION workload.remove(t text, k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE at record;
BEGIN
  at := workload.next(t, k);
  IF NOT at.was_live THEN RETURN; END IF;
  EXECUTE format('DELETE FROM public.%I WHERE %s', t, workload.at_key(t, k));
  UPDATE workload.ledger l SET v = at.ver, live = false WHERE l.tab = t AND l.k = remove.k;
END $$;

-- Gives the row another primary key.
CREATE FUNCTION workload.move(t text, k int, target int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE here record; there record; c record;
BEGIN
  here := workload.next(t, k);
  there := workload.next(t, target);
  IF NOT here.was_live OR there.was_live THEN RETURN; END IF;
  c := workload.columns(t, target, there.ver, true, true);
  EXECUTE format('UPDATE public.%I SET (%s) = ROW(%s) WHERE %s', t, c.names, c.literals, workload.at_key(t, k));
  UPDATE workload.ledger l SET v = here.ver, live = false WHERE l.tab = t AND l.k = move.k;
  UPDATE workload.ledger l SET v = there.ver, live = true WHERE l.tab = t AND l.k = target;
END $$;

CREATE FUNCTION workload.wipe(t text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('TRUNCATE public.%I', t);
  UPDATE workload.ledger l SET v = l.v + 1, live = false WHERE l.tab = t AND l.live;
END $$;

-- COPY writes many rows with one log record: they share an LSN.
CREATE FUNCTION workload.copy_in(first int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('COPY public.copied (id, v) FROM PROGRAM %L (DELIMITER '','')',
                 format('seq -f "%%.0f,1" %s %s', first, last));
  INSERT INTO workload.ledger SELECT 'copied', n, 1, true FROM generate_series(first, last) n;
END $$;

-- A new version of every row that there is.
CREATE FUNCTION workload.touch(t text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE row_key int;
BEGIN
  FOR row_key IN SELECT k FROM workload.ledger WHERE tab = t AND live ORDER BY k LOOP
    PERFORM workload.put(t, row_key, row_key % 2 = 0);
  END LOOP;
END $$;
`;
