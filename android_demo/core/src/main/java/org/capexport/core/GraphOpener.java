package org.capexport.core;

import java.io.File;

/** Opens graph files in some runtime. */
public interface GraphOpener {
  Graph open(File file) throws CaptionException;
}
