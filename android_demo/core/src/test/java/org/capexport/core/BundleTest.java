package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public final class BundleTest {
  @TempDir File temporary;

  private static final String BUNDLE = "pictures_bundle";

  private File newFolder() throws IOException {
    return Files.createTempDirectory(temporary.toPath(), "bundle").toFile();
  }

  private File copy() throws IOException, CaptionException {
    File folder = newFolder();
    String manifest = new String(Golden.bytes(BUNDLE + "/manifest.json"), "UTF-8");
    for (String name : Bundle.fileNames(manifest, BUNDLE))
      write(new File(folder, name), Golden.bytes(BUNDLE + "/" + name));
    return folder;
  }

  private static void write(File file, byte[] data) throws IOException {
    try (OutputStream out = new FileOutputStream(file)) {
      out.write(data);
    }
  }

  private static void assertRefused(File folder, String reason) {
    try {
      Bundle.open(folder);
      fail("it was opened");
    } catch (CaptionException expected) {
      assertTrue(expected.what.contains(reason), expected.toString());
      assertEquals(3, expected.getMessage().split("\n").length);
    }
  }

  /** Replaces text in manifest.json and corrects the checksum, which is another defence. */
  private static void change(File folder, String old, String changed) throws IOException {
    String text = new String(Golden.bytes(BUNDLE + "/manifest.json"), "UTF-8");
    assertTrue(text.contains(old));
    Map<?, ?> fields = (Map<?, ?>) JsonParser.parse(text.replace(old, changed));
    Map<String, Object> rest = new HashMap<String, Object>();
    for (Map.Entry<?, ?> field : fields.entrySet())
      rest.put((String) field.getKey(), field.getValue());
    rest.remove("checksum");
    rest.put("checksum", Sha256.of(CanonicalJson.write(rest).getBytes("US-ASCII")));
    write(new File(folder, "manifest.json"), CanonicalJson.write(rest).getBytes("US-ASCII"));
  }

  @Test
  public void aCopyOpens() throws Exception {
    Bundle bundle = Bundle.open(copy());
    assertEquals(3, bundle.manifest.image.shortSide);
    assertEquals("up_down_lstm", bundle.manifest.architecture);
  }

  @Test
  public void everyChangedByteIsFound() throws Exception {
    for (String name : new String[] {"encoder.onnx", "vocabulary.json", "card.md"}) {
      File folder = copy();
      byte[] data = Golden.bytes(BUNDLE + "/" + name);
      data[data.length / 2] ^= 1;
      write(new File(folder, name), data);
      assertRefused(folder, name + " was changed");
    }
  }

  @Test
  public void aChangedManifestIsFound() throws Exception {
    File folder = copy();
    String text = new String(Golden.bytes(BUNDLE + "/manifest.json"), "UTF-8");
    String changed = text.replace("\"max_length\": 5", "\"max_length\": 6");
    assertTrue(!changed.equals(text));
    write(new File(folder, "manifest.json"), changed.getBytes("UTF-8"));
    assertRefused(folder, "checksum");
  }

  @Test
  public void missingAndShortFilesAreFound() throws Exception {
    File folder = copy();
    write(new File(folder, "encoder.onnx"), new byte[1]);
    assertRefused(folder, "encoder.onnx has 1 bytes");
    assertTrue(new File(folder, "encoder.onnx").delete());
    assertRefused(folder, "encoder.onnx is missing");
    assertRefused(newFolder(), "no manifest.json");
  }

  @Test
  public void whatThisLibraryDoesNotKnowIsRefused() throws Exception {
    String[][] changes = {
      {"\"schema\": 2", "\"schema\": 3", "schema 3"},
      {"\"resize\": \"bilinear-antialias-q22\"", "\"resize\": \"lanczos\"", "lanczos"},
      {"\"joining\": \"words\"", "\"joining\": \"sounds\"", "sounds"},
      {"\"name\": \"card.md\"", "\"name\": \"../card.md\"", "is not allowed"},
      {"\"bos\": 2", "\"bos\": 6", "bos is 6"},
      {"\"bos\": 2", "\"bos\": 2.0", "bos is 2.0"},
      {"\"update\": \"replaced\"", "\"update\": \"forgotten\"", "forgotten"},
      {"\"dtype\": \"uint8\"", "\"dtype\": \"uint9\"", "uint9"},
      {"\"short_side\": 3", "\"short_side\": 2", "short_side is 2"},
      {"\"early_stopping\": false", "\"early_stopping\": true", "need refill"},
      {"\"size\": 6", "\"size\": 7", "size is 7"},
    };
    for (String[] one : changes) {
      File folder = copy();
      change(folder, one[0], one[1]);
      assertRefused(folder, one[2]);
    }
  }

  @Test
  public void damagedJsonIsRefusedWithItsPlace() throws Exception {
    String[] damaged = {
      "", "{", "[1,]", "{\"a\":1,\"a\":2}", "{} {}", "\"\\x\"", "01", "-", "1.", "nul", "\"\t\"",
    };
    for (String text : damaged) {
      try {
        JsonParser.parse(text);
        fail(text);
      } catch (IllegalArgumentException expected) {
        assertTrue(expected.getMessage().contains("character"));
      }
    }
    StringBuilder deep = new StringBuilder();
    for (int i = 0; i < 100000; i++) deep.append('[');
    File folder = copy();
    write(new File(folder, "manifest.json"), deep.toString().getBytes("US-ASCII"));
    assertRefused(folder, "nested too deeply");
  }

  @Test
  public void canonicalJsonIsThatOfPython() throws Exception {
    String[] pair = new String(Golden.bytes("canonical.txt"), "UTF-8").split("\n");
    assertEquals(pair[1], CanonicalJson.write(JsonParser.parse(pair[0])));
  }
}
