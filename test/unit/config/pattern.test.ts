import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ignoringCase, splitPatterns } from '../../../src/config/debezium-patterns.ts';
import { compilePattern, patternSource } from '../../../src/config/pattern.ts';

describe('patterns', () => {
  const CASES: [pattern: string, name: string, matches: boolean][] = [
    ['public\\.orders', 'public.orders', true],
    ['public\\.orders', 'public.orders_old', false],
    ['public\\.orders', 'xpublic.orders', false],
    ['a|b', 'b', true],
    ['a|b', 'bc', false],
    ['my\\_table\\-x', 'my_table-x', true],
    ['[a\\-z]', '-', true],
    ['[a\\-z]', 'b', false],
    ['[\\]\\-]', '-', true],
    ['a\\$b', 'a$b', true],
    ['.', '😀', true],
  ];
  for (const [pattern, name, matches] of CASES) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${name}`, () => {
      assert.equal(compilePattern(pattern)?.test(name), matches);
    });
  }
  for (const pattern of ['(', '[a', 'a**', '\\Qa\\E', '\\z', 'a)|(b']) {
    it(`${pattern} is refused`, () => assert.equal(compilePattern(pattern), null));
  }
  it('give their source back', () => {
    assert.equal(patternSource(compilePattern('public\\..*')!), 'public\\..*');
  });
});

describe("Debezium's patterns", () => {
  it('are separated by commas that are not escaped', () => {
    assert.deepEqual(splitPatterns(' a.b , c\\,d,, '), ['a.b', 'c,d']);
  });
  it('do not regard case', () => {
    assert.ok(compilePattern(ignoringCase('INV\\.orders'))?.test('inv.Orders'));
    assert.ok(compilePattern(ignoringCase('(?i)INV\\.orders'))?.test('inv.Orders'));
  });
  it("have Java's quotes", () => {
    assert.ok(compilePattern(ignoringCase('\\Qa.b$\\E.*'))?.test('a.b$cd'));
    assert.ok(!compilePattern(ignoringCase('\\Qa.b\\E'))?.test('axb'));
  });
});
