/** How the lint's warnings are written. */
import type { LintCode, LintWarning } from '../model/dockerfile-lint.ts';

export const warning = (code: LintCode, line: number, message: string, remedy: string): LintWarning => ({
  code,
  line,
  message,
  remedy,
});

/** User text goes into messages in one short line. */
export const shown = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 80);
