package org.capexport.demo.ui

import android.content.Intent
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext

/** Hands a text of a MIME type to an app that the user chooses. */
@Composable
fun ShareButton(label: String, text: String, type: String) {
    val context = LocalContext.current
    OutlinedButton(
        onClick = {
            val send = Intent(Intent.ACTION_SEND).setType(type).putExtra(Intent.EXTRA_TEXT, text)
            context.startActivity(Intent.createChooser(send, null))
        },
        modifier = Modifier.fillMaxWidth(),
    ) {
        Text(label)
    }
}
