import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Of } from '../../../shared/registry/digest.ts';
import {
  readConfig,
  readConfigDescriptor,
  readIndex,
  readLayers,
} from '../../../shared/registry/manifests.ts';
import { RegistryError } from '../../../shared/registry/model.ts';

const host = 'registry.example';
const digest = sha256Of(Buffer.from('anything'));
const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 9 };
const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };

const spoiled = [
  ['no object', readLayers, [], 'the document'],
  ['no list of layers', readLayers, { layers: {} }, 'layers'],
  ['too many layers', readLayers, { layers: Array(1001).fill(descriptor) }, 'layers'],
  ['a layer that is none', readLayers, { layers: [descriptor, null] }, 'layers.1'],
  [
    'a digest that is none',
    readLayers,
    { layers: [{ ...descriptor, digest: 'sha256:1' }] },
    'layers.0.digest',
  ],
  ['a size below nothing', readLayers, { layers: [{ ...descriptor, size: -1 }] }, 'layers.0.size'],
  ['half a byte', readLayers, { layers: [{ ...descriptor, size: 0.5 }] }, 'layers.0.size'],
  ['a size without an end', readLayers, { layers: [{ ...descriptor, size: 1e300 }] }, 'layers.0.size'],
  ['a type that is no text', readLayers, { layers: [{ ...descriptor, mediaType: 1 }] }, 'layers.0.mediaType'],
  ['no configuration', readConfigDescriptor, {}, 'config'],
  ['too many images', readIndex, { manifests: Array(1001).fill(descriptor) }, 'manifests'],
  ...[
    ['os', 'x'.repeat(65)],
    ['os', 'lin ux'],
    ['os', 7],
    ['architecture', 'a'.repeat(450_000)],
    ['architecture', '../amd64'],
    ['variant', 'v8/x'],
    ['variant', '☃'],
    ['os.version', '10\n0'],
    ['os.version', '1'.repeat(65)],
  ].flatMap(([field, value]) => [
    [
      `as its ${field} ${JSON.stringify(value).slice(0, 20)}`,
      readIndex,
      { manifests: [{ ...descriptor, platform: { ...platform, [field as string]: value } }] },
      `manifests.0.platform.${field}`,
    ] as const,
    [
      `in a configuration, as its ${field} ${JSON.stringify(value).slice(0, 20)}`,
      readConfig,
      { [field as string]: value },
      `${field}`,
    ] as const,
  ]),
  [
    'a platform that is text',
    readIndex,
    { manifests: [{ ...descriptor, platform: 'linux' }] },
    'manifests.0.platform',
  ],
  [
    'an endless type',
    readLayers,
    { layers: [{ ...descriptor, mediaType: 'x'.repeat(256) }] },
    'layers.0.mediaType',
  ],
  ['an index, too', readLayers, { layers: [descriptor], manifests: [descriptor] }, 'manifests'],
  ['an image, too', readIndex, { layers: [descriptor], manifests: [descriptor] }, 'layers'],
  [
    'a variant that is no text',
    readIndex,
    { manifests: [{ ...descriptor, platform: { ...platform, variant: 8 } }] },
    'manifests.0.platform.variant',
  ],
  [
    'a note that is no text',
    readIndex,
    { manifests: [{ ...descriptor, annotations: { note: 1 } }] },
    'manifests.0.annotations.note',
  ],
  ['an architecture that is no text', readConfig, { architecture: 1 }, 'architecture'],
  ['a variable that is no text', readConfig, { config: { Env: ['A=1', 2] } }, 'config.Env.1'],
  ['labels that are a list', readConfig, { config: { Labels: [] } }, 'config.Labels'],
  ['ports that are text', readConfig, { config: { ExposedPorts: '80' } }, 'config.ExposedPorts'],
] as const;

describe('I6 what manifests and configurations say', () => {
  it.each(spoiled)('%s is refused with its place', (_what, read, document, place) => {
    expect(() => read(document, host)).toThrow(
      expect.objectContaining({ code: 'corrupt', message: expect.stringContaining(`at ${place}`) }),
    );
  });

  it('whatever it is, it is read, or refused as corrupt', () => {
    const fields = fc.constantFrom(
      'layers',
      'manifests',
      'config',
      'platform',
      'digest',
      'size',
      'Env',
      'Labels',
    );
    const value = fc.letrec((again) => ({
      any: fc.oneof({ maxDepth: 4 }, fc.jsonValue(), fc.constant(descriptor), again('list'), again('object')),
      list: fc.array(again('any'), { maxLength: 4 }),
      object: fc.dictionary(fields, again('any'), { maxKeys: 4 }),
    })).any;
    fc.assert(
      fc.property(value, (document) => {
        for (const read of [readConfigDescriptor, readLayers, readIndex, readConfig])
          try {
            read(document, host);
          } catch (error) {
            if (!(error instanceof RegistryError)) throw error;
            expect(['corrupt', 'refused']).toContain(error.code);
          }
      }),
    );
  });

  it('an index names images, not what comes with them', () => {
    const attestation = { 'vnd.docker.reference.type': 'attestation-manifest' };
    const manifests = [
      { ...descriptor, platform, annotations: null },
      { ...descriptor, platform, annotations: attestation },
      { ...descriptor, platform: { os: 'unknown', architecture: 'unknown' } },
      ...[
        {},
        { os: 'linux' },
        { architecture: 'arm64' },
        { os: '', architecture: '' },
        { os: null, architecture: 'arm64' },
      ].map((none) => ({ ...descriptor, platform: none })),
      { ...descriptor, platform: { ...platform, os: 'Linux', variant: null, 'os.version': '' } },
      { ...descriptor, platform: null },
      { ...descriptor, mediaType: null },
    ];
    const { variant: _, ...plain } = platform;
    expect(readIndex({ manifests, layers: null }, host)).toEqual([
      { ...descriptor, platform },
      { ...descriptor, platform: plain },
      descriptor,
      { ...descriptor, mediaType: '' },
    ]);
  });

  it('what a configuration leaves out has a meaning, and null is left out', () => {
    const config = {
      env: [],
      entrypoint: [],
      command: [],
      user: '',
      workingDir: '',
      labels: {},
      exposedPorts: [],
    };
    const read = { platform: { os: 'linux', architecture: 'amd64' }, config };
    expect(readConfig({}, host)).toEqual(read);
    expect(readConfig({ os: null, config: { Env: null, Labels: null, User: null } }, host)).toEqual(read);
  });

  it('a label cannot become the prototype of the others', () => {
    const document = JSON.parse('{"config":{"Labels":{"__proto__":"x","team":"vision"}}}');
    const { labels } = readConfig(document, host).config;
    expect(Object.entries(labels)).toEqual([['team', 'vision']]);
    expect(Object.getPrototypeOf(labels)).toBe(Object.prototype);
  });
});
