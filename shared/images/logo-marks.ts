/** Pictures of the named logos: letters in a colour, and nobody's trade mark. */
import type { LogoName } from '../model/logo.ts';

const marks: Record<LogoName, [letters: string, colour: string]> = {
  docker: ['Do', '#1d63ed'],
  python: ['Py', '#306998'],
  pytorch: ['PT', '#c53a1f'],
  tensorflow: ['TF', '#b85700'],
  keras: ['Ke', '#b40000'],
  sklearn: ['sk', '#a35400'],
  r: ['R', '#2066b8'],
  spark: ['Sp', '#b8430f'],
  nvidia: ['nv', '#457a00'],
  jupyter: ['Ju', '#b9500b'],
  ubuntu: ['Ub', '#bb3d12'],
  debian: ['De', '#a8003c'],
};

/** A small SVG, square. */
export function markOf(name: LogoName): string {
  const [letters, colour] = marks[name];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" aria-label="${name}"><rect width="64" height="64" rx="14" fill="${colour}"/><text x="32" y="42" font-family="Helvetica,Arial,sans-serif" font-size="28" font-weight="700" fill="#fff" text-anchor="middle">${letters}</text></svg>`;
}
