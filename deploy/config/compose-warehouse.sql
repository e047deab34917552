-- The shop's warehouse for docker compose: created when the MySQL volume is empty.
CREATE TABLE items (
  sku varchar(20) PRIMARY KEY,
  name varchar(100) NOT NULL,
  in_stock int unsigned NOT NULL DEFAULT 0
);
CREATE TABLE movements (
  id bigint unsigned AUTO_INCREMENT PRIMARY KEY,
  sku varchar(20) NOT NULL,
  amount int NOT NULL,
  moved_at timestamp(6) NOT NULL DEFAULT current_timestamp(6),
  FOREIGN KEY (sku) REFERENCES items (sku)
);
INSERT INTO items VALUES ('A-1', 'Lamp', 12), ('B-7', 'Chair', 4);
CREATE USER tailrace IDENTIFIED BY 'tailrace';
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO tailrace;
GRANT SELECT ON warehouse.* TO tailrace;
