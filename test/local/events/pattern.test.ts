import { expect, test } from 'vitest';
import { compilePattern } from '../../../local/events/pattern.ts';

const build = {
  source: 'aws.codebuild',
  'detail-type': 'CodeBuild Build State Change',
  detail: {
    'build-status': 'SUCCEEDED',
    'project-name': 'slipway-local-builds',
    count: 3,
    nothing: null,
    flag: true,
    tags: ['a', 'b'],
    ip: '10.1.2.3',
    phases: [
      { type: 'BUILD', seconds: 12 },
      { type: 'PUSH', seconds: 3 },
    ],
    empty: {},
  },
};

test.each([
  [{ source: ['aws.codebuild'] }],
  [{ source: ['aws.batch', 'aws.codebuild'], detail: { 'build-status': ['FAILED', 'SUCCEEDED'] } }],
  [{ detail: { 'project-name': [{ prefix: 'slipway-' }] } }],
  [{ detail: { 'project-name': [{ prefix: { 'equals-ignore-case': 'SLIPWAY-' } }] } }],
  [{ detail: { 'project-name': [{ suffix: '-builds' }] } }],
  [{ detail: { 'project-name': [{ wildcard: 'slipway-*-builds' }] } }],
  [{ detail: { 'project-name': [{ 'equals-ignore-case': 'SLIPWAY-LOCAL-BUILDS' }] } }],
  [{ detail: { 'build-status': [{ 'anything-but': 'FAILED' }] } }],
  [{ detail: { 'build-status': [{ 'anything-but': ['FAILED', 'STOPPED'] }] } }],
  [{ detail: { 'build-status': [{ 'anything-but': { prefix: 'FAIL' } }] } }],
  [{ detail: { count: [{ numeric: ['>', 2, '<=', 3] }] } }],
  [{ detail: { count: [3] } }],
  [{ detail: { nothing: [null] } }],
  [{ detail: { flag: [true] } }],
  [{ detail: { tags: ['b'] } }],
  [{ detail: { ip: [{ cidr: '10.0.0.0/8' }] } }],
  [{ detail: { count: [{ exists: true }] } }],
  [{ detail: { missing: [{ exists: false }] } }],
  [{ detail: { deep: { missing: [{ exists: false }] } } }],
  [{ detail: { phases: { type: ['PUSH'] } } }],
  [{ detail: { $or: [{ count: [99] }, { flag: [true] }] } }],
])('%j matches', (pattern) => {
  expect(compilePattern(pattern)(build)).toBe(true);
});

test.each([
  [{ source: ['aws.batch'] }],
  [{ source: ['aws.codebuild'], detail: { 'build-status': ['FAILED'] } }],
  [{ detail: { count: ['3'] } }],
  [{ detail: { count: [{ numeric: ['>', 3] }] } }],
  [{ detail: { missing: [{ 'anything-but': 'x' }] } }],
  [{ detail: { missing: [null] } }],
  [{ detail: { count: [{ exists: false }] } }],
  [{ detail: { empty: [{ exists: true }] } }],
  [{ detail: { 'project-name': [{ prefix: 'SLIPWAY' }] } }],
  [{ detail: { 'build-status': [{ 'anything-but': { prefix: 'SUCC' } }] } }],
  [{ detail: { phases: { type: ['BUILD'], seconds: [3] } } }],
  [{ detail: { $or: [{ count: [99] }, { flag: [false] }] } }],
  [{ detail: { ip: [{ cidr: '192.168.0.0/16' }] } }],
])('%j does not match', (pattern) => {
  expect(compilePattern(pattern)(build)).toBe(false);
});

test.each([
  ['text'],
  [{}],
  [{ source: 'aws.codebuild' }],
  [{ source: [] }],
  [{ source: [{ unheard: 'of' }] }],
  [{ source: [{ prefix: 'a', suffix: 'b' }] }],
  [{ detail: { count: [{ numeric: ['>'] }] } }],
  [{ detail: { count: [{ exists: 'yes' }] } }],
  [{ $or: [{ source: ['a'] }] }],
])('%j is no pattern', (pattern) => {
  expect(() => compilePattern(pattern)).toThrow(/Event pattern is not valid/);
});
