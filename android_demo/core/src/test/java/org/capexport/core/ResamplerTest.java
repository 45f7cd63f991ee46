package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

public final class ResamplerTest {
  @Test
  public void picturesBecomeTheBytesThatPythonMakes() throws Exception {
    List<?> cases = Golden.cases("pictures.json");
    assertTrue(cases.size() >= 30);
    for (Object one : cases) {
      int[] argb = Golden.ints(Golden.text(one, "pixels"));
      int orientation = Golden.integer(one, "orientation");
      Pixels pixels =
          new Pixels(argb, Golden.integer(one, "width"), Golden.integer(one, "height"), orientation);
      Tensor window = Resampler.resizeAndCrop(pixels, spec(Golden.get(one, "spec")));
      byte[] bytes = new byte[window.bytes()];
      window.view().get(bytes);
      assertEquals(Golden.text(one, "sha256"), Sha256.of(bytes), one.toString());
    }
  }

  private static ImageSpec spec(Object fields) {
    String label = Golden.text(fields, "filter");
    for (ImageSpec.Filter filter : ImageSpec.Filter.values())
      if (filter.label.equals(label))
        return new ImageSpec(
            Golden.integer(fields, "height"),
            Golden.integer(fields, "width"),
            Golden.integer(fields, "short_side"),
            filter);
    throw new AssertionError(label);
  }

  @Test
  public void pixelsMustFillThePicture() {
    assertThrows(CaptionException.class, () -> new Pixels(new int[5], 2, 3));
  }

  @Test
  public void aSideHasALimit() {
    assertThrows(CaptionException.class, () -> new Pixels(new int[65536], 65536, 1));
  }
}
