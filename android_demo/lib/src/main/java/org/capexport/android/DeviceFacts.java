package org.capexport.android;

import android.os.Build;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a report says about the device. */
final class DeviceFacts {
  private DeviceFacts() {}

  static Map<String, Object> read() {
    Map<String, Object> facts = new LinkedHashMap<String, Object>();
    facts.put("model", Build.MANUFACTURER + " " + Build.MODEL);
    facts.put("hardware", Build.HARDWARE);
    facts.put("sdk", Build.VERSION.SDK_INT);
    facts.put("abi", Build.SUPPORTED_ABIS[0]);
    return facts;
  }
}
