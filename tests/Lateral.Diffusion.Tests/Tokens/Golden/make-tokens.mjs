// Makes tokens.json: what @huggingface/tokenizers (npm, 0.2.0) does with random texts, for two layouts of the tiny vocabulary.
//   npm install @huggingface/tokenizers@0.2.0 && node make-tokens.mjs > tokens.json
import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';

const published = JSON.parse(readFileSync(new URL('tiny-tokenizer.json', import.meta.url)));
const layouts = {
  published,
  'byte-level': { ...published, normalizer: null, pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true } },
};
// A small generator of its own, so that the file is the same wherever it is made.
let state = 12345n;
const below = n => { state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n); return Number((state >> 33n) % BigInt(n)); };
const parts = [
  'Hello', ' world', '  ', '\n', '\r\n', '\t', "I'm", "WE'LL", ' don\'t', '12', ' 345', '3.14', '\u00e9', 'e\u0301', '\u00dcn\u00efc\u00f6de', '\u4f60\u597d', '\ud55c\uad6d', '\u043c\u0438\u0440', '\u0645\u0631\u062d\u0628\u0627',
  '\u{1F600}', '\u{1F469}\u200d\u{1F467}', '\u{1F1E9}\u{1F1EA}', '\u{1D4B3}', '\u{1D7D9}', '\u{20000}', '<|MASK|>', '<|im_start|>', '<|im_end|>', '<|endoftext|>', '<|im_', '!?', '...', ' (x)', 'def f(x):', '    return', '\\frac{1}{2}',
  '\u3000', '\u00a0', '\u200b', '\ufeff', '\u017f', '\u01c5', '\u0663', '\u2167', '\u00bd', '\u0301', '#$%&', 'aaaa', ' the', 'ing', '_', 'x=1;',
];
const texts = Array.from({ length: 300 }, () => Array.from({ length: 1 + below(8) }, () => parts[below(parts.length)]).join(''));
const cases = {};
for (const [name, json] of Object.entries(layouts)) {
  const tokenizer = new Tokenizer(json, {});
  cases[name] = texts.map(text => tokenizer.encode(text, { add_special_tokens: false }).ids);
}
console.log(JSON.stringify({ texts, layouts: { published: null, 'byte-level': { normalizer: null, pre_tokenizer: layouts['byte-level'].pre_tokenizer } }, ids: cases }));
