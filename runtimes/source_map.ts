/**
 * Finds where in the sources a line of a bundle comes from. Node and Deno do
 * this by themselves; other runtimes show the bundle's lines.
 *
 * @see {@link https://tc39.es/ecma426/ | ECMA-426}
 *
 * @module
 */

const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** A place in a file, both numbers from 1. */
export interface Place {
  /** The file, as the map names it. */
  source: string;
  /** The line in it. */
  line: number;
  /** The column in it. */
  column: number;
}

interface Segment extends Place {
  /** The column in the bundle, from 0. */
  start: number;
}

/** The parts of a source map that are used. */
interface RawSourceMap {
  sources: string[];
  mappings: string;
}

/** A source map that can be asked. */
export class SourceMap {
  readonly #lines: Segment[][];

  /** Reads a source map, which is JSON. */
  constructor(json: string) {
    const { sources, mappings }: RawSourceMap = JSON.parse(json);
    let source = 0;
    let line = 0;
    let column = 0;
    this.#lines = mappings.split(";").map((text) => {
      const segments: Segment[] = [];
      let start = 0;
      for (const field of text.split(",")) {
        const [step = 0, ...steps] = decode(field);
        start += step;
        if (steps.length < 3) continue;
        source += steps[0] ?? 0;
        line += steps[1] ?? 0;
        column += steps[2] ?? 0;
        segments.push({
          start,
          source: sources[source] ?? "",
          line: line + 1,
          column: column + 1,
        });
      }
      return segments;
    });
  }

  /** Where this place in the bundle comes from, if the map says so. */
  find(line: number, column: number): Place | undefined {
    return this.#lines[line - 1]?.findLast(({ start }) => start < column);
  }
}

/**
 * Replaces the places in a bundle that a text names, as stacks do, by those in
 * the sources, relative to a root.
 */
export function mapPlaces(
  text: string,
  bundle: URL,
  map: SourceMap,
  root: URL,
): string {
  return text.replace(
    /[^\s()'"]*?([^\s()'"/]+\.js):(\d+):(\d+)/g,
    (found, name: string, line: string, column: string) => {
      if (!bundle.pathname.endsWith(`/${name}`)) return found;
      const place = map.find(Number(line), Number(column));
      if (place === undefined) return found;
      const source = new URL(place.source, bundle).href.replace(root.href, "");
      return `${source}:${place.line}:${place.column}`;
    },
  );
}

/** The numbers of one field: base 64, five bits a digit, the sign last. */
function decode(field: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of field) {
    const bits = BASE64.indexOf(digit);
    value |= (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}
