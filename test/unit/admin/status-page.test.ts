import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { StatusPage, wantsHtml } from '../../../src/admin/status-page.ts';

test('a browser gets the page, programs get text', () => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';
  for (const accept of [browser, 'text/html', 'TEXT/HTML; charset=utf-8', 'text/html;q=0.5, text/plain;q=0.5']) {
    assert.equal(wantsHtml(accept), true, accept);
  }
  for (const accept of [
    '',
    '*/*',
    'text/*',
    'application/json',
    'text/html;q=0',
    'text/plain, text/html;q=0.9',
    'text/htmlx',
  ]) {
    assert.equal(wantsHtml(accept), false, accept);
  }
});

describe('the files of the page', () => {
  const page = new StatusPage();
  const parts = page.names.filter((name) => name !== 'index.html').map((name) => ({ name, answer: page.part(name) }));

  test('are served all, and nothing else is', () => {
    const folder = new URL('../../../src/admin/page/', import.meta.url);
    assert.deepEqual(page.names.toSorted(), readdirSync(folder).toSorted());
    for (const { name, answer } of parts) assert.equal(answer.status, 200, name);
    for (const name of ['index.html', 'other.js', '..', '../routes.ts', 'constructor', '__proto__']) {
      assert.equal(page.part(name).status, 404, name);
    }
  });

  test('name no other host and carry no script or style of their own in the markup', () => {
    for (const { name, answer } of [...parts, { name: 'index.html', answer: page.document }]) {
      const addresses = answer.body.match(/(?:https?:)?\/\/[a-z0-9-]+\.[a-z]+[^\s"']*/gi) ?? [];
      assert.deepEqual(
        addresses.filter((address) => address !== 'http://www.w3.org/2000/svg'),
        [],
        name,
      );
    }
    assert.doesNotMatch(page.document.body, /\son[a-z]+=|\sstyle=|<style|javascript:/i);
    assert.doesNotMatch(page.document.body, /<script(?![^>]* src="page\/)/);
  });

  test('are allowed to run and to be shown, and nothing else is', () => {
    const policy = page.document.headers?.['content-security-policy'] ?? '';
    assert.match(policy, /^default-src 'none'; /);
    assert.doesNotMatch(policy, /unsafe|\*|https?:|data:/);
    for (const { answer } of parts) {
      assert.match(answer.contentType, /^(text\/(css|javascript)|image\/svg\+xml); charset=utf-8$/);
    }
  });
});
