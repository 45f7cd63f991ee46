package org.capexport.minimal;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Bitmap;
import android.os.Bundle;
import android.view.View;
import android.widget.ImageView;
import android.widget.TextView;
import org.capexport.core.CaptionException;

/**
 * Choose a photo, watch its caption grow. Nothing but Android's own classes, so that it can be built
 * without Gradle; anonymous classes, since the compiler of that build knows no lambdas.
 */
public final class MainActivity extends Activity implements Screen {
  private static final int PICK = 1;

  private CaptionWorker worker;

  @Override
  protected void onCreate(Bundle state) {
    super.onCreate(state);
    setContentView(R.layout.main);
    onClick(
        R.id.pick,
        new View.OnClickListener() {
          @Override
          public void onClick(View view) {
            Intent pick = new Intent(Intent.ACTION_OPEN_DOCUMENT);
            pick.addCategory(Intent.CATEGORY_OPENABLE).setType("image/*");
            startActivityForResult(pick, PICK);
          }
        });
    onClick(
        R.id.benchmark,
        new View.OnClickListener() {
          @Override
          public void onClick(View view) {
            showText(getString(R.string.measuring));
            worker.measure();
          }
        });
    showText(getString(R.string.opening));
    worker = new CaptionWorker(getApplicationContext(), this);
    worker.open();
  }

  private void onClick(int id, View.OnClickListener listener) {
    findViewById(id).setOnClickListener(listener);
  }

  @Override
  protected void onActivityResult(int request, int result, Intent data) {
    super.onActivityResult(request, result, data);
    if (request != PICK || result != RESULT_OK || data == null) return;
    showText("");
    worker.caption(data.getData());
  }

  @Override
  protected void onDestroy() {
    worker.close();
    super.onDestroy();
  }

  // ---- Screen; any thread ----

  @Override
  public void showReady() {
    runOnUiThread(
        new Runnable() {
          @Override
          public void run() {
            findViewById(R.id.pick).setEnabled(true);
            showText(getString(R.string.ready));
          }
        });
  }

  @Override
  public void showPhoto(final Bitmap photo) {
    runOnUiThread(
        new Runnable() {
          @Override
          public void run() {
            ((ImageView) findViewById(R.id.photo)).setImageBitmap(photo);
          }
        });
  }

  @Override
  public void showCaption(final String text, final boolean isWhole) {
    runOnUiThread(
        new Runnable() {
          @Override
          public void run() {
            showText(text);
            if (isWhole) findViewById(R.id.benchmark).setEnabled(true);
          }
        });
  }

  @Override
  public void showSaved(final String path) {
    runOnUiThread(
        new Runnable() {
          @Override
          public void run() {
            showText(getString(R.string.saved, path));
          }
        });
  }

  @Override
  public void showError(final CaptionException error) {
    runOnUiThread(
        new Runnable() {
          @Override
          public void run() {
            showText(error.what + "\n\n" + error.where + "\n\n" + error.hint);
          }
        });
  }

  private void showText(String text) {
    ((TextView) findViewById(R.id.caption)).setText(text);
  }
}
