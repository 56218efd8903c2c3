import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { anApi, type ApiUnderTest } from './api-under-test.ts';

let api: ApiUnderTest;
beforeEach(async () => {
  api = await anApi();
});
afterEach(() => api.close());

describe('the port', () => {
  test('one that is taken is named together with the next free one', async () => {
    const blocker = await new Promise<Server>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    });
    const { port } = blocker.address() as { port: number };
    const second = await anApi({}, {}, { listen: false });
    await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({
      code: 'conflict',
      message: `Port ${port} on 127.0.0.1 is taken by another program.`,
      hint: expect.stringMatching(/^Port (\d+) is free: set SLUICE_PORT=\1\.$/),
      details: { port, nextFreePort: expect.any(Number) },
    });
    await second.close();
    blocker.close();
  });

  test('an address that is not ours is explained', async () => {
    const second = await anApi({}, {}, { listen: false });
    await expect(second.listen('203.0.113.1', 0)).rejects.toMatchObject({
      code: 'unavailable',
      message: '203.0.113.1 is not an address of this machine.',
    });
    await second.close();
  });
});

describe('the documentation', () => {
  test('describes every route of routes.md, with parameters and answers from the shapes', async () => {
    const { json: document } = await api.ask('/api/docs/openapi.json');
    const documented = Object.entries<Record<string, unknown>>(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, ':')}`),
    );
    const promised = [
      ...(await readFile('libs/contracts/routes.md', 'utf8')).matchAll(/^\| (GET|POST|PUT|DELETE) ([^|]+) \|/gm),
    ]
      .filter(([, , paths = '']) => !paths.includes('(absolute'))
      .flatMap(([, method, paths = '']) => paths.split(',').map((path) => `${method} ${path.trim()}`))
      .map((route) => route.replace(' /', ' /api/v1/').replaceAll(/:\w+/g, ':'));
    expect(promised.length).toBeGreaterThan(20);
    expect(documented.sort()).toEqual(promised.sort());

    const { get } = document.paths['/api/v1/pipelines/{pipeline}/grid'];
    expect(get.parameters.map((one: { name: string; in: string }) => `${one.in} ${one.name}`).sort()).toEqual([
      'path pipeline',
      'query before',
      'query env',
      'query runs',
    ]);
    expect(get.responses[200].content['application/json'].schema.required).toContain('cells');
    expect(
      document.paths['/api/v1/runs/{run}/rerun'].post.requestBody.content['application/json'].schema.properties.mode
        .enum,
    ).toEqual(['failed', 'all', 'from']);
  });

  test('is a page that needs nothing from elsewhere', async () => {
    const page = await api.ask('/api/docs/');
    const files = [...page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map((match) => match[1]);
    expect(files.length).toBeGreaterThan(3);
    expect(page.text).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    for (const file of files) expect(`${file} ${(await api.ask(`/api/docs/${file}`)).status}`).toBe(`${file} 200`);
  });
});

test('an executed notebook is a download, never a page', async () => {
  const content = '{"nbformat": 4, "cells": []}';
  const with_ = await anApi({ notebook: async () => Buffer.from(content) });
  const { headers, text } = await with_.ask('/api/v1/runs/7/tasks/report/notebook?try=2');
  await with_.close();
  expect(text).toBe(content);
  expect(headers['content-type']).toBe('application/x-ipynb+json');
  expect(headers['content-disposition']).toBe('attachment; filename="report-7.ipynb"');
});

test('metrics are Prometheus text', async () => {
  const { headers, text } = await api.ask('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toContain('# TYPE sluice_run_duration_seconds histogram');
});
