/** What the registry has, once something was pushed. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { parseReference } from '../shared/registry/reference.ts';
import type { Work } from './work.ts';
