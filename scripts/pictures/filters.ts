import type { Model, Node } from '../../src/network.ts';
import { named } from '../../src/network.ts';
import { size, type Tensor } from '../../src/tensor.ts';
import { enlarge, gridOf, range, scaleOf } from '../drawMaps.ts';
import { colourOf, diverging, scaleBar } from './colours.ts';
import { short } from './layer.ts';
import { paste, shifted, titled, together, type Page } from './drawPage.ts';

const GAP = 2;

/** The name of a layer's weights that can be drawn: kernels, or a weight for each pixel of the model's input; else undefined. */
export function drawable(model: Model, node: Node): string | undefined {
  const { w } = node.parameters ?? {};
  const images = node.layer === 'linear' && w?.[1] === size(model.input);
  return w?.length === 4 || images ? named(node).find(([argument]) => argument === 'w')![1] : undefined;
}

/**
 * The filters of a layer, enlarged, all on one scale: from blue, below 0, over white to red.
 *
 *     w (O, C, KH, KW)    of one channel a grid; of more a column for each kernel and a row for each channel
 *     w (O, D)            a grid of images of the model's input, for each unit the weights of its pixels
 */
export async function filtersPage(title: string, model: Model, name: string, w: Tensor): Promise<Page> {
  const colours = await diverging();
  const kernels = w.shape.length === 4;
  const [O, C, H, W] = kernels ? w.shape : [w.shape[0], ...model.input];
  const most = Math.max(...range(w.data).map(Math.abs));
  const colour = colourOf(colours, -most, most);
  const [rows, columns] = C === 1 ? gridOf(O) : [C, O];
  const scale = Math.min(32, Math.max(kernels ? 6 : 2, scaleOf([H, W], [rows, columns], GAP)));
  const placeOf = (o: number, c: number) => (C === 1 ? [Math.floor(o / columns), o % columns] : [c, o]);
  const [down, across] = [H * scale + GAP, W * scale + GAP];
  const placed = Array.from({ length: O * C }, (_, i) => {
    const [row, column] = placeOf(Math.floor(i / C), i % C);
    const picture = enlarge(w.data.subarray(i * H * W, (i + 1) * H * W), [H, W], scale, colour);
    return { picture, top: GAP + row * down, left: GAP + column * across };
  });
  const [height, width] = [rows * down + GAP, columns * across + GAP];
  const lines = enlarge([0], [1, 1], 1, () => [150, 150, 150]); // between filters, since 0 is white
  const gray = { ...lines, height, width, pixels: new Uint8Array(height * width * 3).fill(150) };
  const picture = paste(height, width, [{ picture: gray, top: 0, left: 0 }, ...placed]);
  const body: Page = { height, width, pictures: [{ picture, top: 0, left: 0 }], texts: [] };
  const bar = scaleBar(colours, [`−${short(most)}`, '0', `+${short(most)}`], 240);
  const channels = C === 1 ? '' : ` × ${C} channels`;
  const what = kernels
    ? `${name}: ${O} ${O === 1 ? 'kernel' : 'kernels'}${channels} of ${H}×${W}`
    : `${name}: what each of ${O} units${channels} multiplies the ${H}×${W} pixels with`;
  const order = C === 1 ? '' : `; a column for each ${kernels ? 'kernel' : 'unit'}, a row for each channel`;
  return titled(title, [`${what}, all on one scale${order}`], together(body, shifted(bar, body.height + 16, 0)));
}
