package org.capexport.demo.ui

import android.net.Uri
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.compose.foundation.Image
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Button
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.asImageBitmap
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.unit.dp
import org.capexport.demo.CaptionState
import org.capexport.demo.R

/** A photo of the system's picker, and its caption as it grows. */
@Composable
fun PhotoScreen(state: CaptionState, onPick: (Uri) -> Unit) {
    val picker = rememberLauncherForActivityResult(PickVisualMedia()) { uri ->
        if (uri != null) onPick(uri)
    }
    Column(Modifier.fillMaxSize().padding(16.dp), Arrangement.spacedBy(16.dp)) {
        state.photo?.let { photo ->
            Image(
                photo.asImageBitmap(),
                contentDescription = stringResource(R.string.photo_description),
                modifier = Modifier.weight(1f).fillMaxWidth(),
            )
        }
        GrowingCaption(state)
        state.took?.let { took ->
            Text(
                stringResource(R.string.took, took.runtime, took.steps, took.milliseconds),
                style = MaterialTheme.typography.bodySmall,
            )
        }
        Button(
            onClick = { picker.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly)) },
            enabled = !state.opening,
            modifier = Modifier.fillMaxWidth(),
        ) {
            Text(stringResource(if (state.opening) R.string.opening else R.string.pick))
        }
        if (state.isWhole) {
            ShareButton(stringResource(R.string.share), state.caption, "text/plain")
        }
    }
}

/** TalkBack reads the caption once, when it is whole, not every word of it. */
@Composable
private fun GrowingCaption(state: CaptionState) {
    val text = state.caption.ifEmpty {
        if (state.photo == null) stringResource(R.string.pick_first) else ""
    }
    val spoken = if (state.isWhole || state.photo == null) text else ""
    Text(
        text,
        style = MaterialTheme.typography.headlineSmall,
        modifier = Modifier.clearAndSetSemantics {
            contentDescription = spoken
            liveRegion = LiveRegionMode.Polite
        },
    )
}
