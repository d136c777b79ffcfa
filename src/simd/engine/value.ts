import { size } from '../../tensor.ts';
import type { Border } from '../../window.ts';
import type { Workspace } from '../kernels.ts';

/** Where images lie: channels side by side, rows and images so many bytes apart. A border of zeros may be around each. */
export interface Picture {
  /** The address of the first pixel of the first image, behind its border. */
  readonly first: number;
  readonly row: number;
  readonly image: number;
}

const none: Border = { top: 0, bottom: 0, left: 0, right: 0 };

const largest = (a: Border, b: Border): Border => ({
  top: Math.max(a.top, b.top),
  bottom: Math.max(a.bottom, b.bottom),
  left: Math.max(a.left, b.left),
  right: Math.max(a.right, b.right),
});

/** Room for N images of (H, W, C) with a border. */
export function pictureIn(
  space: Workspace,
  N: number,
  [H, W, C]: readonly [number, number, number],
  border: Border,
): Picture {
  const row = 4 * C * (border.left + W + border.right);
  const image = row * (border.top + H + border.bottom);
  return { first: space.room((N * image) / 4) + border.top * row + 4 * C * border.left, row, image };
}

/** The address of image n. */
export const imageOf = ({ first, image }: Picture, n: number) => first + n * image;

/** What one layer hands to the next: N images of (C, H, W), in memory as (H, W, C), and their gradient. */
export class Value {
  readonly C: number;
  readonly H: number;
  readonly W: number;
  /** Whether anything before it learns: if not, nobody asks for its gradient. */
  readonly learns: boolean;
  /** The shape (C, H, W) that a flattened image had: its numbers still lie as (H, W, C). */
  readonly flattened: readonly number[] | undefined;
  /** Whose memory it is: its own, or that of the value it is a flat view of. */
  readonly #root: Value;
  readonly #readers: object[] = [];
  #dense: boolean;
  #wanted = none;
  #picture: Picture | undefined;
  #gradient: Picture | undefined;

  /** A value whose producer can leave a border around it, or not. */
  constructor(
    [C, H, W]: readonly number[],
    {
      learns,
      bordered = false,
      root,
      flattened,
    }: { learns: boolean; bordered?: boolean; root?: Value; flattened?: readonly number[] },
  ) {
    [this.C, this.H, this.W] = [C, H, W];
    this.learns = learns;
    this.flattened = flattened;
    this.#root = root ?? this;
    this.#dense = !bordered;
  }

  /** The same numbers as images of one pixel. */
  flat(): Value {
    const { C, H, W, learns } = this;
    if (H * W === 1) return this;
    this.#root.#dense = true;
    return new Value([C * H * W, 1, 1], { learns, root: this.#root, flattened: this.flattened ?? [C, H, W] });
  }

  /** How many numbers an image has. */
  get numbers(): number {
    return size([this.C, this.H, this.W]);
  }

  /** `reader` reads it: densely, or with whatever border there is, of which it wants this much. */
  readBy(reader: object, border?: Border): void {
    this.#root.#readers.push(reader);
    if (border === undefined) this.#root.#dense = true;
    else this.#root.#wanted = largest(this.#root.#wanted, border);
  }

  /** The border that it has, once all readers are known. */
  get border(): Border {
    return this.#root.#dense ? none : this.#root.#wanted;
  }

  /** Takes its place in memory. */
  allocate(space: Workspace, N: number): void {
    if (this.#root !== this) return;
    const make = () => pictureIn(space, N, [this.H, this.W, this.C], this.border);
    this.#picture = make();
    if (this.learns) this.#gradient = make();
  }

  get picture(): Picture {
    return this.#view(this.#root.#picture!);
  }

  get gradient(): Picture {
    return this.#view(this.#root.#gradient!);
  }

  /** Whether this reader, going backward, is the first to reach it: then it writes the gradient, to which others add. */
  firstBack(reader: object): boolean {
    return this.#root.#readers.at(-1) === reader;
  }

  #view({ first, row, image }: Picture): Picture {
    return this.#root === this ? { first, row, image } : { first, row: image, image };
  }
}
