/**
 * Text that people call something by. Two that look alike must not differ, and what is shown must not turn around what
 * stands beside it: so neither control characters nor line breaks, nor what is invisible or changes the direction of
 * writing (Unicode's format characters and default ignorables). Kept is what belongs to a visible character: the joiners
 * of emoji and of the scripts that write with them, the selectors of emoji, the tags of flags.
 */
const belonging = new RegExp(
  [
    String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\ufe0f?)\u200d(?=\p{Extended_Pictographic})`,
    String.raw`(?<=\p{Extended_Pictographic})[\ufe0e\ufe0f]`,
    String.raw`(?<=[0-9#*])\ufe0f(?=\u20e3)`,
    String.raw`(?<=\u{1f3f4})[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}`,
    String.raw`(?<=(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\p{L}\p{M}])[\u200c\u200d](?=(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{L})`,
  ].join('|'),
  'gu',
);

const forbidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** A letter, digit, sign or symbol: something to see. */
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** An empty text is one; that it is empty is said elsewhere. */
export const isOneLine = (text: string): boolean =>
  text === '' || (visible.test(text) && !forbidden.test(text.replace(belonging, '')));
