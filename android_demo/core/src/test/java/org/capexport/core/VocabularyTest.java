package org.capexport.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.util.List;
import org.junit.jupiter.api.Test;

public final class VocabularyTest {
  @Test
  public void tokensBecomeTheTextThatPythonMakes() throws Exception {
    List<?> cases = Golden.cases("texts.json");
    assertTrue(cases.size() >= 4);
    for (Object one : cases) {
      File folder = new File(Golden.FOLDER, Golden.text(one, "bundle"));
      Vocabulary vocabulary = Bundle.open(folder).vocabulary;
      for (Object text : (List<?>) Golden.get(one, "texts"))
        assertEquals(
            Golden.text(text, "text"),
            vocabulary.text(Golden.integers(text, "ids")),
            text.toString());
    }
  }
}
