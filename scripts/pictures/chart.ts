import type { EChartsCoreOption } from 'echarts';
import { optional } from '../optional.ts';
import { FONT } from './drawPage.ts';

/** A chart as the bytes of a PNG file. */
export async function chart(width: number, height: number, option: EChartsCoreOption): Promise<Uint8Array> {
  const [echarts, sharp] = [await optional('echarts'), await optional('sharp')];
  const drawn = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    drawn.setOption({ animation: false, backgroundColor: '#fff', textStyle: { fontFamily: FONT }, ...option });
    return await sharp(Buffer.from(drawn.renderToSVGString())).png().toBuffer();
  } finally {
    drawn.dispose(); // without it the process would not end
  }
}
