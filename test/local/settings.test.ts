import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readSettings, SettingError } from '../../local/settings.ts';

test('without variables: port 4780, .slipway here, stage local', () => {
  expect(readSettings({})).toEqual({
    port: 4780,
    home: resolve('.slipway'),
    stage: 'local',
    upstreams: new Map(),
  });
});

test('variables are taken', () => {
  const environment = {
    SLIPWAY_PORT: '5000',
    SLIPWAY_HOME: '/tmp/x',
    SLIPWAY_STAGE: 'lab',
    SLIPWAY_DYNAMODB_ENDPOINT: 'http://127.0.0.1:8000',
    SLIPWAY_INDEX_LAG_MS: '0',
    SLIPWAY_TRANSACTION_MS: '10',
    SLIPWAY_ADVISORIES: '/tmp/osv',
    SLIPWAY_UPSTREAMS: 'quay.io=http://127.0.0.1:5000,ghcr.io=https://mirror.example',
  };
  expect(readSettings(environment)).toEqual({
    port: 5000,
    home: '/tmp/x',
    stage: 'lab',
    dynamodbEndpoint: 'http://127.0.0.1:8000',
    indexLagMs: 0,
    transactionMs: 10,
    advisories: '/tmp/osv',
    upstreams: new Map([
      ['quay.io', 'http://127.0.0.1:5000'],
      ['ghcr.io', 'https://mirror.example'],
    ]),
  });
});

test.each([
  ['SLIPWAY_PORT', 'abc'],
  ['SLIPWAY_PORT', '0'],
  ['SLIPWAY_PORT', '65534'],
  ['SLIPWAY_PORT', '80.5'],
  ['SLIPWAY_INDEX_LAG_MS', '-1'],
  ['SLIPWAY_DYNAMODB_ENDPOINT', 'localhost:8000'],
  ['SLIPWAY_UPSTREAMS', 'quay.io'],
  ['SLIPWAY_UPSTREAMS', 'quay.io=127.0.0.1:5000'],
])('%s=%s is refused and named', (name, value) => {
  expect(() => readSettings({ [name]: value })).toThrow(SettingError);
  expect(() => readSettings({ [name]: value })).toThrow(name);
});
