import { describe, expect, it } from 'vitest';
import { compareAlpine, compareDebian } from '../../../local/ecr/scan/versions.ts';

const sign = (number: number) => Math.sign(number) || 0;

describe('I13 versions of Debian packages', () => {
  it.each([
    ['1.0', '1.0', 0],
    ['1.0', '1.00', 0],
    ['1.9', '1.10', -1],
    ['1:0.1', '2.0', 1],
    ['1.0~rc1', '1.0', -1],
    ['1.0~~', '1.0~', -1],
    ['1.0', '1.0+deb12u1', -1],
    ['1.0a', '1.0+', -1],
    ['1.0-1', '1.0-1+deb12u1', -1],
    ['1.0-1~deb12u1', '1.0-1', -1],
    ['1.0', '1.0-0', 0],
    ['1.0-1', '1.0', 1],
    ['2.36-9+deb12u4', '2.36-9+deb12u10', -1],
    ['3.0.11-1~deb12u2', '3.0.9-1', 1],
    ['1.2-3-4', '1.2-4-1', -1],
    ['20230311', '99999999999999999999', -1],
  ])('%s and %s', (a, b, expected) => {
    expect(sign(compareDebian(a, b))).toBe(expected);
    expect(sign(compareDebian(b, a))).toBe(expected === 0 ? 0 : -expected);
  });
});

describe('I13 versions of Alpine packages', () => {
  it.each([
    ['1.2.3-r0', '1.2.3-r0', 0],
    ['1.2.3-r9', '1.2.3-r10', -1],
    ['1.2.9', '1.2.10', -1],
    ['1.2', '1.2.0', -1],
    ['1.2a', '1.2b', -1],
    ['1.2', '1.2a', -1],
    ['1.2_rc1', '1.2', -1],
    ['1.2_alpha', '1.2_beta', -1],
    ['1.2', '1.2_p1', -1],
    ['1.2_p1', '1.2_p2-r3', -1],
    ['1.02', '1.1', -1],
    ['3.1.4-r5', '3.1.4-r6', -1],
  ])('%s and %s', (a, b, expected) => {
    expect(sign(compareAlpine(a, b))).toBe(expected);
    expect(sign(compareAlpine(b, a))).toBe(expected === 0 ? 0 : -expected);
  });
});
